"""The sentence on the first page turns into what is wrong."""

from typing import Any

import pytest

from models.alias import Alias
from stream_app.console.feed.score_reader import ScoreCounts
from stream_app.console.now.recent import Recent
from stream_app.console.now.verdict import judge
from stream_app.console.now.vitals import PartitionVitals, Traffic, Vitals
from stream_app.worker_status import WorkerStatus

NOW_MS = 1_764_000_000_000


def worker(partitions: list[int], **changed: Any) -> WorkerStatus:
    said: dict[str, Any] = {"writer": "w1", "pid": 1, "web": None, "ready": True, "model_version": "m-1"}
    said |= {"model_sequence": 1, "profiles_as_of": 0, "partitions": partitions, "at": NOW_MS}
    return WorkerStatus(**(said | changed))


def vitals(**changed: Any) -> Vitals:
    said: dict[str, Any] = {
        "traffic": Traffic(scored=100, silent_s=0.5),
        "partitions": [PartitionVitals(number, 10, 0, 0.0) for number in range(2)],
        "workers": [worker([0, 1])],
        "aliases": {"champion": Alias("champion", "m-1", 1, "ada", "why", NOW_MS - 3_600_000)},
    }
    return Vitals(NOW_MS, **(said | changed))


def late(behind_s: float) -> list[PartitionVitals]:
    return [PartitionVitals(0, 10, 0, 0.0), PartitionVitals(1, 10, 4_000, behind_s)]


@pytest.mark.parametrize(
    ("changed", "level", "text"),
    [
        ({}, "good", "All 2 partitions are scored by 1 worker, 0.0 s behind."),
        ({"partitions": late(0.3)}, "good", "All 2 partitions are scored by 1 worker, 0.3 s behind."),
        ({"partitions": late(12)}, "warn", "Partition 1 is 12 s behind: 4,000 transactions wait."),
        ({"partitions": late(90)}, "bad", "Partition 1 is 90 s behind: 4,000 transactions wait."),
        ({"workers": []}, "bad", "Nobody scores: no worker is alive. Start `fraudstream score`."),
        (
            {"workers": [worker([0])], "partitions": late(1)},
            "bad",
            "Partition 1 has no worker, and 4,000 transactions wait.",
        ),
        ({"workers": [worker([0, 1], ready=False)]}, "warn", "1 of 1 workers is not ready yet."),
        (
            {"workers": [worker([0]), worker([1], writer="w2", model_version="m-0")]},
            "warn",
            "1 of 2 workers is not on the champion: w2 runs m-0.",
        ),
        ({"aliases": {}}, "bad", "There is no champion: promote a model, then scoring can begin."),
        ({"workers": None, "problems": ["Redis does not answer"]}, "bad", "Redis does not answer"),
        ({"traffic": Traffic()}, "quiet", "Nothing comes in; nothing waits. 2 partitions are held by 1 worker."),
        (
            {"partitions": late(90), "workers": [worker([0])]},
            "bad",
            "Partition 1 has no worker, and 4,000 transactions wait. 1 more: see below.",
        ),
    ],
)
def test_the_sentence_says_the_worst(changed: dict[str, Any], level: str, text: str) -> None:
    assert judge(vitals(**changed)) == (level, text)


def test_a_champion_of_this_moment_is_given_time_to_be_loaded() -> None:
    aliases = {"champion": Alias("champion", "m-2", 2, "ada", "why", NOW_MS - 2_000)}
    assert judge(vitals(aliases=aliases)).level == "good"


def test_figures_are_of_the_last_minute() -> None:
    recent = Recent()
    for second in range(200):
        recent.see(float(second), ScoreCounts(second * 10, second * 10, second, second * 2))
        recent.add_latency(float(second), 1000.0 if second < 100 else 5.0)
    traffic = recent.traffic(199.0)
    assert traffic.scored_per_s == 10
    assert (traffic.scored, traffic.flagged, traffic.shown) == (600, 60, 120)
    assert traffic.alert_rate == 0.1
    assert (traffic.latency_ms(0.5), traffic.latency_ms(0.99), len(traffic.latencies_ms)) == (5.0, 5.0, 61)
