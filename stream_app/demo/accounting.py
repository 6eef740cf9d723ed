"""Lost, duplicated, latency and throughput, each counted from what the topics held."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream_app.demo.ledger import Ledger

Floats = npt.NDArray[np.float64]


class Period(NamedTuple):
    """Wall-clock time from `start_ms` up to `end_ms`."""

    start_ms: float
    end_ms: float


class Account(NamedTuple):
    """Every transaction held against the scores; `repetitions` are records that the reader's rule dropped."""

    transactions: int
    lost: int
    duplicated: int
    repetitions: int


class Latency(NamedTuple):
    """Milliseconds from a transaction's Kafka timestamp to the moment a reader has its score."""

    p50: float
    p99: float


def account(ledger: Ledger) -> Account:
    """Hold every transaction's id against the scores that a reader keeps."""
    sent = np.concatenate([rows.rows["id"] for rows in ledger.transactions])
    scored = np.concatenate([rows.rows["id"] for rows in ledger.scores])
    distinct = np.unique(scored)
    lost = int(np.count_nonzero(~np.isin(sent, distinct)))
    return Account(len(sent), lost, len(scored) - len(distinct), ledger.repetitions)


def latencies_ms(ledger: Ledger, period: Period) -> Floats:
    """Return the latency of each transaction sent in a period and scored."""
    found = []
    for transactions, scores in ledger.pairs():
        sent_at = transactions["sent_at"]
        chosen = transactions[(sent_at >= period.start_ms) & (sent_at < period.end_ms)]
        place = np.searchsorted(scores["source_offset"], chosen["offset"])
        scored = place < len(scores)
        scored[scored] = scores["source_offset"][place[scored]] == chosen["offset"][scored]
        found.append(scores["received_at"][place[scored]] - chosen["sent_at"][scored])
    return np.concatenate(found)


def latency(values_ms: Floats) -> Latency:
    """Return median and 99th percentile; zeros where nothing was scored."""
    if not len(values_ms):
        return Latency(0.0, 0.0)
    p50, p99 = np.percentile(values_ms, (50, 99))
    return Latency(round(float(p50), 2), round(float(p99), 2))


def throughput(ledger: Ledger, since_ms: float) -> float:
    """Return scores a second, from the first transaction sent since a moment to the last score."""
    sent = [rows["sent_at"][rows["sent_at"] >= since_ms] for rows, _ in ledger.pairs()]
    events, first = sum(map(len, sent)), min((int(part.min()) for part in sent if len(part)), default=0)
    last = max((float(rows["received_at"].max()) for _, rows in ledger.pairs() if len(rows)), default=0.0)
    return events / (last - first) * 1000 if last > first and events else 0.0


class Caught(NamedTuple):
    """How many transactions were flagged, how many were fraud, and how many were both."""

    flagged: int
    frauds: int
    both: int


def caught(ledger: Ledger, since_ms: float, fraud_ids: npt.NDArray[np.uint64]) -> Caught:
    """Hold the flagged scores received since a moment against the simulator's truth."""
    recent = [rows[rows["received_at"] >= since_ms] for _, rows in ledger.pairs()]
    rows = np.concatenate(recent)
    is_fraud = np.isin(rows["id"], fraud_ids)
    return Caught(int(rows["flagged"].sum()), int(is_fraud.sum()), int((rows["flagged"] & is_fraud).sum()))
