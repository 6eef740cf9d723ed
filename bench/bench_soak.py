"""Whether a worker's memory stays flat: minutes at four fifths of what it can score, on a bank of a fixed size.

First as many payments as the broker takes, for what the worker can do on this machine beside Kafka and the bank; then
the fixed rate. A bank's day passes in less than a second, so all card windows are full and roll over hundreds of times.
Printed are the worker's resident memory over time and how much it grew from the second third of the run to the last:
in the first the card windows fill. Ten minutes say more than one.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.registry import Registry
from models.schema.topics import TopicNames
from stream_app.chaos.supervised import Supervised
from stream_app.chaos.tiny_models import TinyModels
from stream_app.chaos.topic_log import TopicLog
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics

LOAD: Final = 0.8
PARTITIONS: Final = 4
FLOOD_S: Final = 30.0
SAMPLE_S: Final = 5.0
BANK: Final = ("--customers", "5000", "--transactions-per-day", "20000")
_SHORT: Final = {"retention.bytes": str(256 << 20), "segment.bytes": str(32 << 20), "file.delete.delay.ms": "1000"}
"""Ten minutes at full speed would fill a disk."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        found = soak(Path(folder), options.minutes * 60)
    if options.json:
        print(json.dumps(asdict(found)))
        return
    print(f"{found.capacity_per_s:,.0f} events/s at full speed, {LOAD * found.capacity_per_s:,.0f} a second since")
    for at_s, mib, waiting in found.samples:
        print(f"{at_s:6.0f} s  {mib:7.1f} MiB  {waiting:9,} waiting")
    print(f"from the second third to the last: {found.growth_share:+.2%}; restarts: {found.restarts}")


@dataclass(frozen=True, slots=True)
class Soak:
    """What was seen; `samples` are seconds, the worker's resident MiB, and records waiting."""

    capacity_per_s: float
    samples: list[tuple[float, float, int]]
    growth_share: float
    restarts: int


def soak(folder: Path, seconds: float) -> Soak:
    """Measure what a worker can do, then keep it at LOAD of that for some seconds."""
    names, models = TopicNames(), TinyModels(folder / "models")
    with LocalStack(folder / "stack", kafka_settings={"log.retention.check.interval.ms": "3000"}) as stack:
        create_topics(stack.broker, names, PARTITIONS, dict.fromkeys(("transactions", "scores", "features"), _SHORT))
        registry = Registry(stack.redis_url)
        registry.promote(registry.put(models.first), "bench", "soak")
        common = ["--broker", stack.broker]
        worker = Supervised(
            "worker", folder, ["score", *common, "--redis", stack.redis_url, "--allowed-signers", str(models.signers)],
            {"FRAUDSTREAM_DATA": str(folder)}, None,
        )  # fmt: skip
        logs = TopicLog(stack.broker, names.transactions), TopicLog(stack.broker, names.scores)
        try:
            bank = _bank(folder, "flood", common, 0, 1e6)
            capacity = _scored_per_s(logs[1], FLOOD_S)
            bank.bury()
            while _waiting(logs):
                time.sleep(1)
            bank = _bank(folder, "bank", common, 2000, LOAD * capacity)
            samples = _sampled(worker, logs, seconds)
            bank.bury()
        finally:
            worker.bury()
            for log in logs:
                log.close()
    memory = np.array([mib for _, mib, _ in samples])
    third = max(1, len(memory) // 3)
    growth = float(np.median(memory[-third:]) / np.median(memory[third : 2 * third]) - 1)
    return Soak(capacity, samples, growth, worker.restarts)


def _bank(folder: Path, name: str, common: list[str], from_day: int, rate: float) -> Supervised:
    arguments = ["simulate", *common, *BANK, "--from-day", str(from_day), "--rate", f"{rate:.0f}"]
    return Supervised(name, folder, arguments, {}, None)


def _scored_per_s(scores: TopicLog, seconds: float) -> float:
    """Scores a second in the second half of a while, once the first have come."""
    while not sum(scores.watermarks().values()):
        time.sleep(0.1)
    time.sleep(seconds / 2)
    before, began_s = sum(scores.watermarks().values()), time.monotonic()
    time.sleep(seconds / 2)
    return (sum(scores.watermarks().values()) - before) / (time.monotonic() - began_s)


def _waiting(logs: tuple[TopicLog, TopicLog]) -> int:
    ends = [sum(log.watermarks().values()) for log in logs]
    return ends[0] - ends[1]


def _sampled(worker: Supervised, logs: tuple[TopicLog, TopicLog], seconds: float) -> list[tuple[float, float, int]]:
    samples = []
    began_s = time.monotonic()
    while (at_s := time.monotonic() - began_s) < seconds:
        samples.append((round(at_s, 1), round(worker.resident_bytes / 2**20, 1), _waiting(logs)))
        worker.supervise()
        time.sleep(SAMPLE_S)
    return samples


if __name__ == "__main__":
    main()
