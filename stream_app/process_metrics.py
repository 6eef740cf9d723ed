"""What every process shows to Prometheus beside its own work: build, memory and CPU, ends of certificates."""

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.access.kafka_settings import KafkaSettings


def add_process_metrics(registry: CollectorRegistry) -> None:
    """Register them; to be called once a process, by its composition root, which may read the environment."""
    build = Info("fraudstream_build", "What runs", registry=registry)
    build.info({"version": version("fraudstream")})
    ProcessCollector(registry=registry)
    registry.register(CertificateEnds(certificate_files(KafkaSettings.read().values, os.environ)))


def certificate_files(kafka: Mapping[str, str], environment: Mapping[str, str]) -> dict[tuple[str, str], Path]:
    """Return the certificate files of this process by server and use, as its settings name them.

    Parameters
    ----------
    kafka: settings of the Kafka clients in librdkafka's words.
    environment: variables, for Redis.
    """
    named = {
        ("kafka", "authority"): kafka.get("ssl.ca.location"),
        ("kafka", "client"): kafka.get("ssl.certificate.location"),
        ("redis", "authority"): environment.get("FRAUDSTREAM_REDIS_CA_FILE"),
        ("redis", "client"): environment.get("FRAUDSTREAM_REDIS_CERTIFICATE_FILE"),
    }
    return {use: Path(path) for use, path in named.items() if path}


class CertificateEnds(Collector):
    """The earliest end among the certificates of each file, read again when the file has changed.

    A file that is no certificate any more has no series: the process itself says so where it connects.

    Parameters
    ----------
    files: by server and use.
    """

    def __init__(self, files: Mapping[tuple[str, str], Path]) -> None:
        self._files = files
        self._read: dict[Path, tuple[int, float | None]] = {}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the metric without reading a file."""
        yield _family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read what has changed."""
        family = _family()
        for (server, use), path in self._files.items():
            end_s = self._end_s(path)
            if end_s is not None:
                family.add_metric([server, use], end_s)
        yield family

    def _end_s(self, path: Path) -> float | None:
        try:
            changed = path.stat().st_mtime_ns
            if self._read.get(path, (None,))[0] != changed:
                self._read[path] = changed, _earliest_end_s(path.read_bytes())
        except OSError:
            return None
        return self._read[path][1]


def _family() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "fraudstream_certificate_expiry_timestamp_seconds",
        "When the first of the certificates in a file of this process's settings ends, as Unix time",
        labels=["server", "use"],
    )


def _earliest_end_s(pem: bytes) -> float | None:
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return None
    return min(one.not_valid_after_utc.timestamp() for one in found)
