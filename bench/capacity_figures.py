"""What the benches measured, as far as docs/capacity.md reckons with it: read from the figures of `python -m bench`."""

from collections.abc import Mapping
from typing import Any, Self

import msgspec

CARD_TRANSACTIONS = 30
"""Transactions of each card in bench_state and bench_restart."""


class CardSize(msgspec.Struct, frozen=True):
    """Card state of one number of cards, thirty transactions each.

    Attributes
    ----------
    resident_bytes: of a card in the worker's memory: what the process grew by, or its arrays where that is more.
    stored_bytes: of a card in a whole checkpoint.
    us_per_event: CPU microseconds of scoring, in process.
    read_s: to read the checkpoints back, one partition after the other.
    first_score_s: from the start of a worker to its first score.
    """

    resident_bytes: float
    stored_bytes: float
    us_per_event: float
    read_s: float
    first_score_s: float


class TerminalSize(msgspec.Struct, frozen=True):
    """Profiles of one number of terminals.

    Attributes
    ----------
    scorer_bytes: of a terminal in each worker.
    fill_us: CPU microseconds an event.
    prepare_ms: CPU time for a step in which every terminal changed, beside scoring.
    apply_ms: for which scoring then stands still.
    keeper_bytes: for each transaction that the keeper stores.
    close_ms: CPU time of a step over `stored` transactions that gives `profiles`.
    stored, profiles: see `close_ms`.
    """

    scorer_bytes: float
    fill_us: float
    prepare_ms: float
    apply_ms: float
    keeper_bytes: float
    close_ms: float
    stored: int
    profiles: int


class Sharing(msgspec.Struct, frozen=True):
    """So many workers on so many partitions; CPU microseconds an event, of all workers and of the broker."""

    events_per_s: float
    worker_us: float
    broker_us: float
    rows_per_batch: float
    worker_us_by_round: list[float]


class Figures(msgspec.Struct, frozen=True):
    """Everything measured.

    Attributes
    ----------
    machine: what it ran on.
    million_cpu_s: the worker's CPU seconds for each million of one run, in order.
    over_second_worker: the worker's CPU time over a hardly used one's, before the first million and after each.
    broker_bytes: of an event on the broker, by topic; one copy, not compressed.
    sharing: by `PARTITIONSxWORKERS`.
    cards, terminals: by their number.
    archive_bytes: of an event in the archive, by table, as appended.
    archive_us, keeper_us, drift_us, feedback_us: CPU microseconds an event of each process or agent.
    profile_bytes: of a record of `profiles`.
    """

    machine: dict[str, str | int | float]
    million_cpu_s: list[float]
    over_second_worker: list[float]
    broker_bytes: dict[str, float]
    sharing: dict[str, Sharing]
    cards: dict[str, CardSize]
    terminals: dict[str, TerminalSize]
    archive_bytes: dict[str, float]
    archive_us: float
    keeper_us: float
    drift_us: float
    feedback_us: float
    profile_bytes: float

    @classmethod
    def of(cls, bench: Mapping[str, Any]) -> Self:
        """Take the figures from what `python -m bench --json` prints."""
        others, paths = bench["others"], bench["hot_paths"]
        flat = next(iter(others["flat"].values()))
        terminals = others["terminals"]["terminals"]
        return cls(
            machine=others["scaling"]["machine"],
            million_cpu_s=flat["cpu_s_per_million"],
            over_second_worker=flat["over_second_worker"],
            broker_bytes=flat["broker_bytes_per_event"],
            sharing={name: _sharing(row) for name, row in others["scaling"]["sharing"].items()},
            cards={number: _card_size(number, others) for number in others["state"]["us_per_event"]},
            terminals={number: _terminal_size(row, others) for number, row in terminals.items()},
            archive_bytes=others["archive"]["archive_bytes_per_event"],
            archive_us=paths["archive"]["us_per_event"],
            keeper_us=paths["profile keeper"]["us_per_event"],
            drift_us=paths["drift window"]["us_per_event"],
            feedback_us=paths["performance week"]["us_per_event"],
            profile_bytes=next(iter(terminals.values()))["scorer"]["step_bytes"],
        )

    @property
    def largest_cards(self) -> CardSize:
        """Of the most cards."""
        return self.cards[max(self.cards, key=int)]

    @property
    def largest_terminals(self) -> TerminalSize:
        """Of the most terminals."""
        return self.terminals[max(self.terminals, key=int)]


def _sharing(row: Mapping[str, Any]) -> Sharing:
    return msgspec.convert({**row, "worker_us_by_round": [one["worker_us"] for one in row["rounds"]]}, Sharing)


def _card_size(number: str, others: Mapping[str, Any]) -> CardSize:
    state, restart = others["state"], others["restart"][number]
    return CardSize(
        resident_bytes=max(state["bytes_per_card"][number][name] for name in ("resident", "accounted")),
        stored_bytes=restart["whole"]["megabytes"] * 1e6 / int(number),
        us_per_event=state["us_per_event"][number],
        read_s=restart["read_s"],
        first_score_s=restart["first_score_s"],
    )


def _terminal_size(row: Mapping[str, Any], others: Mapping[str, Any]) -> TerminalSize:
    scorer, keeper = row["scorer"], row["keeper"]
    return TerminalSize(
        scorer_bytes=scorer["bytes_per_terminal"],
        fill_us=scorer["fill_us"],
        prepare_ms=scorer["prepare_ms"],
        apply_ms=scorer["apply_ms"],
        keeper_bytes=keeper["bytes_per_transaction"],
        close_ms=keeper["close_ms"],
        stored=others["terminals"]["stored"],
        profiles=keeper["profiles"],
    )
