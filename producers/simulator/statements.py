"""What is said about simulated transactions: late reports of fraud, and a few wrong ones that are taken back."""

import numpy as np

from models.schema.label import Label, LabelSource
from producers.label_delays import DEFAULT_SOURCES, LabelDelays
from producers.simulator.random_streams import mix64, stream_key, substream, unit_interval
from producers.simulator.settings import DAY_MS
from producers.simulator.simulated_day import SimulatedDay

WRONG_SHARE = 0.0002
"""How many genuine payments a customer does not recognise and reports: one for each twenty frauds of the base mix."""
REVERSED_AFTER_DAYS = (1, 12)


def fraud_reports(day: SimulatedDay, seed: int) -> tuple[np.ndarray, list[LabelSource], np.ndarray]:
    """Return for each fraud of a day its row, who reports it, and when (ms).

    Each tactic draws by itself, so that one more tactic moves no other report.
    """
    rows, sources, reported_at = [], list[LabelSource](), []
    for code in range(1, len(day.tactic_names)):
        chosen = np.flatnonzero(day.tactic_code == code)
        delays = LabelDelays(int(stream_key(seed, "reports", str(day.tactic_names[code]), day.day)))
        who, delays_ms = delays.draw(len(chosen))
        rows.append(chosen)
        sources += who
        reported_at.append(day.event_time[chosen] + delays_ms)
    if not rows:
        return np.empty(0, np.int64), sources, np.empty(0, np.int64)
    return np.concatenate(rows), sources, np.concatenate(reported_at)


def statements(day: SimulatedDay, seed: int) -> list[Label]:
    """Return all that is ever said about a day's transactions, in the order in which it is said."""
    rows, sources, reported_at = fraud_reports(day, seed)
    said = [
        _label(day, row, source, at, is_fraud=True)
        for row, source, at in zip(rows.tolist(), sources, reported_at.tolist(), strict=True)
    ]
    return sorted(said + _mistakes(day, seed), key=lambda label: (label.labelled_at, label.transaction_id))


def _mistakes(day: SimulatedDay, seed: int) -> list[Label]:
    """Return reports of genuine payments, and each one's reversal some days later."""
    chance = unit_interval(mix64(day.numbers, stream_key(seed, "mistakes")))
    wrong = np.flatnonzero((chance < WRONG_SHARE) & ~day.is_fraud)
    rng = substream(seed, "mistakes", day.day)
    reported_at = day.event_time[wrong] + DEFAULT_SOURCES["customer_report"].draw(len(wrong), rng)
    low, high = REVERSED_AFTER_DAYS
    reversed_at = reported_at + rng.integers(low * DAY_MS, high * DAY_MS, len(wrong))
    said = []
    for row, first, second in zip(wrong.tolist(), reported_at.tolist(), reversed_at.tolist(), strict=True):
        said.append(_label(day, row, "customer_report", first, is_fraud=True))
        said.append(_label(day, row, "analyst", second, is_fraud=False))
    return said


def _label(day: SimulatedDay, row: int, source: LabelSource, at: int, *, is_fraud: bool) -> Label:
    return Label(
        transaction_id=day.transaction_ids[row],
        card_id=day.card_ids[row],
        terminal_id=day.terminal_ids[row],
        event_time=int(day.event_time[row]),
        is_fraud=is_fraud,
        label_source=source,
        labelled_at=at,
    )
