"""A look as the page is told it."""

from typing import Any, Final

from models.registry import CHAMPION
from stream_app.console.now.verdict import judge
from stream_app.console.now.vitals import Vitals

SERIES: Final = ("at_ms", "scored_per_s", "alert_rate", "p50_ms", "p99_ms", "waiting", "behind_s")
"""What is drawn over time."""


def tick_of(vitals: Vitals) -> dict[str, Any]:
    """Return what JSON can say of a look."""
    verdict, traffic = judge(vitals), vitals.traffic
    champion = vitals.aliases.get(CHAMPION)
    return {
        "at_ms": vitals.at_ms,
        "level": verdict.level,
        "text": verdict.text,
        "scored_per_s": round(traffic.scored_per_s, 1),
        "alert_rate": None if traffic.alert_rate is None else round(traffic.alert_rate, 5),
        "p50_ms": traffic.latency_ms(0.5),
        "p99_ms": traffic.latency_ms(0.99),
        "sampled": len(traffic.latencies_ms),
        "scored": traffic.scored,
        "flagged": traffic.flagged,
        "shown": traffic.shown,
        "waiting": vitals.waiting if vitals.partitions else None,
        "behind_s": None if vitals.behind_s is None else round(vitals.behind_s, 2),
        "champion": None if champion is None else {"version": champion.version, "since_ms": champion.at},
        "partitions": [
            {
                "partition": one.partition,
                "position": one.position,
                "waiting": one.waiting,
                "behind_s": None if one.behind_s is None else round(one.behind_s, 1),
                "worker": next(
                    (each.writer for each in vitals.workers or () if one.partition in each.partitions), None
                ),
            }
            for one in vitals.partitions
        ],
        "workers": [
            {
                "writer": one.writer,
                "model": one.model_version,
                "champion": champion is not None and one.model_version == champion.version,
                "ready": one.ready,
                "partitions": sorted(one.partitions),
                "profiles_as_of": one.profiles_as_of,
                "beside": [version for version in one.models if version != one.model_version],
                "refused": one.refused,
            }
            for one in sorted(vitals.workers or (), key=lambda one: one.writer)
        ],
        "problems": list(vitals.problems),
    }
