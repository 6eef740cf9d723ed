"""The Kafka Streams app: built once by Maven into the user's cache, started as a worker under measurement."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

from bench.peer import Place
from bench.worker import Worker
from models.features.merchant_groups import GROUP_OF_MCC
from models.model_cache import LocalModelCache
from models.schema.columns import CHANNEL_NUMBERS, ENTRY_MODE_NUMBERS
from models.schema.iso_codes import COUNTRY_NUMBERS, CURRENCY_EXPONENTS
from models.schema.money import DEFAULT_RATES
from stream_app.stack.java import find_java
from stream_app.stack.kafka_jars import kafka_version
from stream_app.stack.maven import MavenError, default_cache, made_once, run_maven

Mode = Literal["memory", "durable", "exactly-once"]
COMMIT_INTERVAL_MS: Final[dict[Mode, int]] = {"memory": 5_000, "durable": 5_000, "exactly-once": 100}
"""As often as `fraudstream score` writes its state; exactly once the default, for nobody sees a score before."""
BATCH_ROWS: Final = 1_000
STREAM_THREADS: Final = 2
JVM_OPTIONS: Final = (
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseParallelGC",
    "-XX:-UseDynamicNumberOfCompilerThreads",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
"""Compiler threads stay, so that what they have taken can be read at the end."""
JIT_THREADS: Final = ("C1 CompilerThre", "C2 CompilerThre")
"""They take .5 of 2.5 CPU s for 100,000 events after the first 600,000, next to nothing after 1,200,000."""
_SOURCES: Final = Path(__file__).with_name("kafka_streams")
_MAIN: Final = "fraudstream.peer.ScoringApp"


def built_jars(cache: Path | None = None) -> Path:
    """Return the folder of the app's jar and those that it needs, building it first when its sources have changed.

    Raises
    ------
    MavenError: with what is missing, or what Maven said.
    """
    sources = [_SOURCES / "pom.xml", *sorted(_SOURCES.glob("src/**/*.java"))]
    streams = re.search(r"kafka-streams</artifactId><version>([\d.]+)<", sources[0].read_text())
    if streams is None or streams[1] != kafka_version():
        raise MavenError(
            f"the app must be built with kafka-streams {kafka_version()}, the broker's: change {sources[0]}"
        )
    digest = hashlib.sha256()
    for path in sources:
        digest.update(f"{path.relative_to(_SOURCES)}\n".encode() + path.read_bytes())
    return made_once(
        cache or default_cache(), f"kafka-streams-peer-{digest.hexdigest()[:8]}", "kafka-streams-peer.lock", _built
    )


def _built(folder: Path) -> Path:
    app = folder / "app"
    shutil.copytree(_SOURCES, app, ignore=shutil.ignore_patterns("target"))
    copied = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    run_maven(app, ["package", *copied], "build the Kafka Streams app")
    for jar in (app / "target").glob("*.jar"):
        shutil.move(jar, app / "jars")
    return app / "jars"


def kafka_streams_worker(mode: Mode, place: Place) -> Worker:
    """Return the app in a mode, to be entered, with the model that `promote_model` has laid into the place's folder.

    Raises
    ------
    MavenError: it is not built and cannot be.
    JavaError: there is no Java that can run it.
    """
    prefix = place.topics.prefix
    own = {
        "BROKER": place.broker,
        "TOPIC_PREFIX": prefix,
        "STATE_FOLDER": str(place.state),
        "THREADS": str(STREAM_THREADS),
        "BATCH_ROWS": str(BATCH_ROWS),
        "COMMIT_INTERVAL_MS": str(COMMIT_INTERVAL_MS[mode]),
    }
    command = [find_java(os.environ.get("JAVA_HOME")), *JVM_OPTIONS, "-cp", f"{built_jars()}/*", _MAIN, mode]
    return Worker(command, own | _model(place.folder), place.folder / f"{prefix}{mode}.log", JIT_THREADS)


def _model(folder: Path) -> dict[str, str]:
    """Write the model's graph and the reference tables, and return what the app is told of them."""
    found = LocalModelCache(folder / "model").last()
    assert found is not None
    bundle, _ = found
    model, tables = folder / "model.onnx", folder / "tables.txt"
    model.write_bytes(bundle.onnx)
    tables.write_text("\n".join(_tables()))
    manifest, decline = bundle.manifest, bundle.manifest.thresholds.decline
    return {
        "MODEL": str(model),
        "TABLES": str(tables),
        "REVIEW": str(manifest.thresholds.review),
        "DECLINE": "Infinity" if decline is None else str(decline),
        "MODEL_VERSION": bundle.version,
        "FEATURE_SET": manifest.feature_set,
        "FEATURE_NAMES": ",".join(manifest.feature_names),
    }


def _tables() -> Iterator[str]:
    """Yield the lines of ReferenceTables.java."""
    for kind, numbers in (
        ("country", COUNTRY_NUMBERS),
        ("channel", CHANNEL_NUMBERS),
        ("entry_mode", ENTRY_MODE_NUMBERS),
        ("mcc", {f"{code:04d}": group for code, group in enumerate(GROUP_OF_MCC.tolist())}),
    ):
        yield from (f"{kind} {code} {number}" for code, number in numbers.items())
    rates = json.loads(DEFAULT_RATES.read_text(encoding="utf-8"))
    reporting = rates["currency"]
    for code, rate in {**rates["rates"], reporting: "1"}.items():
        ratio = Fraction(Decimal(rate)) * Fraction(10) ** (CURRENCY_EXPONENTS[reporting] - CURRENCY_EXPONENTS[code])
        yield f"currency {code} {ratio.numerator} {ratio.denominator}"
