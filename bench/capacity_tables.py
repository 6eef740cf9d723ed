"""The tables of docs/capacity.md."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bench.capacity_figures import Figures
from bench.capacity_needs import Assumptions, Capacity, Needs
from bench.markdown import table

RATES: Final = (1_000, 10_000, 100_000, 1_000_000)


def measured(capacity: Capacity) -> str:
    """What an event costs whom."""
    figures = capacity.figures
    millions = figures.million_cpu_s
    written, archived = figures.broker_bytes, figures.archive_bytes
    rows = [
        ("worker, windows full: CPU seconds a million, first to last of one run", _listed(millions, ".1f"), "flat"),
        ("the same worker over a hardly used one: before the first and after each",
         _listed(figures.over_second_worker, ".2f"), "flat"),
        ("broker: CPU us, the median of all combinations", f"{capacity.broker_us:.1f}", "scaling"),
        ("archive: CPU us", f"{figures.archive_us:.1f}", "archive"),
        ("profile keeper: CPU us", f"{figures.keeper_us:.1f}", "profiles"),
        ("drift agent, feedback agent: CPU us", f"{figures.drift_us:.1f}, {figures.feedback_us:.1f}", "watch"),
        ("bytes on the broker: " + ", ".join(written), _listed(written.values(), ",.0f"), "flat"),
        ("bytes in the archive: " + ", ".join(archived), _listed(archived.values(), ",.0f"), "archive"),
        ("bytes of a terminal's profile on the topic", f"{figures.profile_bytes:.0f}", "terminals"),
    ]  # fmt: skip
    return table(("of an event", "measured", "bench"), rows)


def sharing(figures: Figures) -> str:
    """Partitions by workers."""
    rows = [
        (
            *name.split("x"),
            f"{one.events_per_s:,.0f}",
            f"{one.worker_us:.1f} ({min(one.worker_us_by_round):.0f} to {max(one.worker_us_by_round):.0f})",
            f"{one.broker_us:.1f}", f"{one.rows_per_batch:,.0f}",
        )
        for name, one in figures.sharing.items()
    ]  # fmt: skip
    titles = ("partitions", "workers", "events/s", "workers: CPU us an event", "broker: CPU us an event", "a batch")
    return table(titles, rows)


def sizes(figures: Figures) -> str:
    """Cards and terminals by their number."""
    cards = [
        (
            f"{int(number):,} cards of 30", f"{one.us_per_event:.1f}", f"{one.resident_bytes:,.0f} a card",
            f"{one.stored_bytes:,.0f} a card", f"{one.read_s:.2f}; {one.first_score_s:.1f}",
        )
        for number, one in figures.cards.items()
    ]  # fmt: skip
    terminals = [
        (
            f"{int(number):,} terminals", f"{one.fill_us:.2f}", f"{one.scorer_bytes:,.0f} a terminal", "none",
            f"{one.prepare_ms / 1e3:.2f}; scoring stands still for {one.apply_ms / 1e3:.3f}",
        )
        for number, one in figures.terminals.items()
    ]  # fmt: skip
    titles = (
        "state",
        "CPU us an event",
        "bytes in memory",
        "bytes stored",
        "s to read back; from start to first score",
    )
    return table(titles, [*cards, *terminals])


def assumed(given: Assumptions) -> str:
    """What is not measured."""
    rows = [
        ("transactions of a card a day", f"{given.card_transactions_a_day:g}"),
        ("cards for each terminal", f"{given.cards_a_terminal:g}"),
        ("share of a core, and of memory, that is planned with", f"{given.busy:g}"),
        ("memory of a process that stands alone", f"{given.memory_gb:g} GB"),
        ("time for a worker to read its cards at a start", f"{given.take_over_s:g} s"),
        ("copies of a record on the brokers", f"{given.replicas}"),
        ("event days that a retrain reads (`retrain --train-from`)", f"{given.training_days}"),
    ]
    return table(("assumed", "value"), rows)


_NEEDS: Final[Sequence[tuple[str, Callable[[Needs], str]]]] = (
    ("cards", lambda one: _rounded(one.cards)),
    ("workers by CPU, one core each", lambda one: f"{one.workers_by_cpu:,}"),
    ("workers by the time of a take-over", lambda one: f"{one.workers_by_take_over:,}"),
    ("partitions: two for each worker", lambda one: f"{one.partitions:,}"),
    ("card state of all workers", lambda one: _gb(one.card_state_gb)),
    ("memory of one worker", lambda one: _gb(one.worker_memory_gb)),
    ("memory of one worker while it starts", lambda one: _gb(one.start_memory_gb)),
    ("checkpoints: whole chains that one worker writes", lambda one: f"{one.checkpoint_mb_s:,.0f} MB/s"),
    ("checkpoint storage, two chains", lambda one: _gb(one.checkpoint_gb)),
    ("broker: cores for leaders alone", lambda one: f"{one.broker_cores:,.2f}"),
    ("broker: in, without replicas", lambda one: f"{one.broker_in_mb_s:,.1f} MB/s"),
    ("broker: out to readers, without replicas", lambda one: f"{one.broker_out_mb_s:,.1f} MB/s"),
    ("broker: disk at the retention of 35 and 40 days", lambda one: _gb(one.broker_disk_tb * 1e3)),
    ("archive: storage a day", lambda one: _gb(one.archive_gb_a_day)),
    ("archive: cores (one process)", lambda one: f"{one.archive_cores:,.2f}"),
    ("profile keeper: cores (one process)", lambda one: f"{one.keeper_cores:,.2f}"),
    ("profile keeper: memory", lambda one: _gb(one.keeper_memory_gb)),
    ("profile keeper: CPU time of a step", lambda one: f"{one.step_s:,.0f} s"),
    ("profiles: on the topic a day, at most", lambda one: _gb(one.profiles_gb_a_day)),
    ("drift and feedback agent: cores (one process)", lambda one: f"{one.watch_cores:,.2f}"),
    ("drift and feedback agent: rows in memory", lambda one: _gb(one.watch_memory_gb)),
    ("retrainer: rows in memory", lambda one: _gb(one.training_memory_gb)),
)


def needs(capacity: Capacity) -> str:
    """What each rate needs."""
    found = [capacity.needs(rate) for rate in RATES]
    rows = [(name, *(told(one) for one in found)) for name, told in _NEEDS]
    return table(("transactions a second, mean of the day", *(f"{rate:,}" for rate in RATES)), rows)


def ends(capacity: Capacity) -> str:
    """Where one process of each part ends."""
    rows = [(name, f"{two_digits(rate):,}") for name, rate in capacity.ends().items()]
    return table(("one process ends, lowest first", "transactions a second, mean of the day"), rows)


def two_digits(number: float) -> int:
    """Return the number as far as it is known."""
    return int(float(f"{number:.2g}"))


def _rounded(number: float) -> str:
    """Three digits, in millions."""
    return f"{float(f'{number / 1e6:.3g}'):,.0f} million"


def _gb(number: float) -> str:
    if number >= 1e6:
        return f"{number / 1e6:,.1f} PB"
    if number >= 1e3:
        return f"{number / 1e3:,.1f} TB"
    return f"{number:,.1f} GB" if number >= 0.1 else f"{number * 1e3:,.0f} MB"


def _listed(numbers: Iterable[float], form: str) -> str:
    return ", ".join(format(number, form) for number in numbers)
