"""What the vitals mean, in one plain sentence."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from models.registry import CHAMPION
from stream_app.console.now.vitals import PartitionVitals, Vitals

Level = Literal["good", "quiet", "warn", "bad"]

SLOW_S: Final = 5.0
STUCK_S: Final = 30.0
"""Cards are answered within seconds: what waits longer is late, what waits this long does not move."""
SETTLED_MS: Final = 15_000
"""A new champion is loaded by every worker within this time."""
SILENT_S: Final = 60.0


class Verdict(NamedTuple):
    """The sentence, and how bad it is: `quiet` says that nothing comes in and nothing waits."""

    level: Level
    text: str


def judge(vitals: Vitals) -> Verdict:
    """Return the worst of what is wrong, else that all is well.

    Examples
    --------
    >>> judge(Vitals(0, workers=None, problems=["Redis does not answer"]))
    Verdict(level='bad', text='Redis does not answer')
    """
    found = [*_unknown(vitals), *_workers(vitals), *_late(vitals), *_models(vitals)]
    for level in ("bad", "warn"):
        texts = [one.text for one in found if one.level == level]
        if texts:
            more = f" {len(texts) - 1} more: see below." if len(texts) > 1 else ""
            return Verdict(level, texts[0] + more)
    return _well(vitals)


def _unknown(vitals: Vitals) -> Iterator[Verdict]:
    for problem in vitals.problems:
        yield Verdict("bad", problem)


def _workers(vitals: Vitals) -> Iterator[Verdict]:
    if vitals.workers is None:
        return
    waits = f"; {vitals.waiting:,} transactions wait" if vitals.waiting else ""
    if not vitals.workers:
        yield Verdict("bad", f"Nobody scores: no worker is alive{waits}. Start `fraudstream score`.")
        return
    owned = {partition for worker in vitals.workers for partition in worker.partitions}
    orphans = [one for one in vitals.partitions if one.partition not in owned and one.waiting]
    if orphans:
        yield Verdict(
            "bad", f"{_named(orphans)} no worker, and {sum(one.waiting for one in orphans):,} transactions wait."
        )
    starting = sum(not worker.ready for worker in vitals.workers)
    if starting:
        yield Verdict("warn", f"{starting} of {len(vitals.workers)} workers {_is(starting)} not ready yet.")


def _late(vitals: Vitals) -> Iterator[Verdict]:
    for limit_s, level in ((STUCK_S, "bad"), (SLOW_S, "warn")):
        late = [one for one in vitals.partitions if one.behind_s is not None and one.behind_s > limit_s]
        if late:
            worst = max(one.behind_s or 0.0 for one in late)
            waiting = sum(one.waiting for one in late)
            yield Verdict(
                level,  # type: ignore[arg-type]  # one of the two
                f"{_numbers(late)} {_is(len(late))} {worst:,.0f} s behind: {waiting:,} transactions wait.",
            )
            return


def _models(vitals: Vitals) -> Iterator[Verdict]:
    champion = vitals.aliases.get(CHAMPION)
    if vitals.workers is None:
        return
    if champion is None:
        yield Verdict("bad", "There is no champion: promote a model, then scoring can begin.")
        return
    others = [one for one in vitals.workers if one.ready and one.model_version != champion.version]
    if others and vitals.at_ms - champion.at > SETTLED_MS:
        yield Verdict(
            "warn",
            f"{len(others)} of {len(vitals.workers)} workers {_is(len(others))} not on the champion: "
            f"{others[0].writer} runs {others[0].model_version or 'no model'}.",
        )


def _well(vitals: Vitals) -> Verdict:
    workers = len(vitals.workers or ())
    by = f"by {workers} worker{'' if workers == 1 else 's'}"
    silent_s = vitals.traffic.silent_s
    if not vitals.waiting and (silent_s is None or silent_s > SILENT_S) and not vitals.traffic.scored:
        return Verdict("quiet", f"Nothing comes in; nothing waits. {len(vitals.partitions)} partitions are held {by}.")
    behind_s = vitals.behind_s or 0.0
    return Verdict("good", f"All {len(vitals.partitions)} partitions are scored {by}, {behind_s:.1f} s behind.")


def _numbers(partitions: Sequence[PartitionVitals]) -> str:
    numbers = ", ".join(str(one.partition) for one in partitions)
    return f"Partition{'' if len(partitions) == 1 else 's'} {numbers}"


def _named(partitions: Sequence[PartitionVitals]) -> str:
    return f"{_numbers(partitions)} {'has' if len(partitions) == 1 else 'have'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
