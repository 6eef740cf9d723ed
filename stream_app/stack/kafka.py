"""A real Kafka broker of one node on this machine."""

import logging
import os
import subprocess
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream_app.stack.java import find_java
from stream_app.stack.kafka_jars import kafka_jars
from stream_app.stack.maven import default_cache
from stream_app.stack.port import LOOPBACK, answers, free_ports, require_free
from stream_app.stack.server_process import ProcessIdentity, ServerError, ServerProcess

CLUSTER_ID: Final = "ZnJhdWRzdHJlYW0tbG9jYQ"
"""Any 16 bytes in base64: a stack is known by its data folder, not by this."""
START_DEADLINE_S: Final = 90.0
JVM_OPTIONS: Final = (
    # Room for the page index and buffers of a test or a demo, all of it from the start: a heap that grows collects four
    # times as often until it has grown.
    "-Xms512m", "-Xmx512m",
    # Keeps pauses far below the latency figures.
    "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
    # The quick compiler alone: a broker that lives for minutes spends half of its time in the thorough one.
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)  # fmt: skip

logger = logging.getLogger(__name__)


class LocalKafka:
    """Starts, stops and kills one broker whose data lives in a folder.

    Parameters
    ----------
    folder
        Data, settings and log.
    port
        Where clients connect; None takes a free one. It stays the same over `stop` and `start`.
    tethered
        Whether the broker dies with this process.
    cache
        Where the jars are kept; None is the user's cache folder.
    settings
        Broker settings beside or instead of those of every stack.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        tethered: bool = True,
        cache: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = dict(settings or {})
        self.folder = folder.resolve()
        self.process = ServerProcess("Kafka", self.folder, tethered=tethered)
        self._asked_port = port
        self._cache = cache
        self._ports: tuple[int, int] | None = None

    @property
    def broker(self) -> str:
        """Address for clients."""
        return f"{LOOPBACK}:{self._choose_ports()[0]}"

    def start(self) -> ProcessIdentity:
        """Start the broker and wait until it answers."""
        port, controller_port = self._choose_ports()
        require_free(port, "--kafka-port")
        java = find_java(os.environ.get("JAVA_HOME"))
        jars = kafka_jars(self._cache or default_cache())
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self._write_settings(port, controller_port)
        self._format(java, jars, settings)
        with as_file(files("stream_app.stack") / "settings" / "log4j2.properties") as log4j:
            identity = self.process.start(
                [
                    java,
                    *JVM_OPTIONS,
                    f"-Dlog4j2.configurationFile={log4j}",
                    "-cp",
                    f"{jars}/*",
                    "kafka.Kafka",
                    str(settings),
                ]
            )
        try:
            self.process.await_answer(self._answers, START_DEADLINE_S)
        except BaseException:
            self.process.kill()
            raise
        return identity

    def stop(self) -> None:
        """End the broker in order; its data stays."""
        self.process.stop()

    def kill(self) -> None:
        """End the broker as a crash would; its data stays."""
        self.process.kill()

    def restart(self) -> ProcessIdentity:
        """Stop and start on the same port with the same data."""
        self.stop()
        return self.start()

    def _choose_ports(self) -> tuple[int, int]:
        if self._ports is None:
            first, second = free_ports(2)
            self._ports = (self._asked_port or first, second)
        return self._ports

    def _write_settings(self, port: int, controller_port: int) -> Path:
        path = self.folder / "server.properties"
        common = (files("stream_app.stack") / "settings" / "kafka.properties").read_text()
        path.write_text(
            f"{common}\n# Of this stack.\n"
            f"listeners=BROKER://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}\n"
            "listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            f"controller.quorum.voters=1@{LOOPBACK}:{controller_port}\n"
            f"log.dirs={self.folder / 'data'}\n"
            + "".join(f"{name}={value}\n" for name, value in self._settings.items())
        )
        return path

    def _format(self, java: str, jars: Path, settings: Path) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        # The quick compiler alone: this program lives for a second.
        tool = [java, "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", "kafka.tools.StorageTool"]
        arguments = ["format", "--cluster-id", CLUSTER_ID, "--config", str(settings), "--ignore-formatted"]
        done = subprocess.run([*tool, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            told = (done.stderr or done.stdout).strip().splitlines()
            raise ServerError(f"Kafka could not format {self.folder}/data: {told[-1] if told else 'no reason given'}")

    def _answers(self) -> bool:
        if not answers(self._choose_ports()[0]):
            return False
        # The listener opens a moment before the broker is a member of its own cluster.
        admin = AdminClient({"bootstrap.servers": self.broker}, logger=logger)
        try:
            return bool(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return False
