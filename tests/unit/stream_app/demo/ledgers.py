"""Ledgers for tests, filled as a reader would fill them."""

from collections.abc import Sequence

from stream_app.demo.ledger import Ledger, SeenScore, SeenTransaction


def send(ledger: Ledger, count: int, *, partition: int = 0, sent_at: int = 1000, every_ms: int = 0) -> None:
    """Put transactions `p<partition>-<offset>` behind those that are there."""
    start = len(ledger.transactions[partition])
    offsets = range(start, start + count)
    times = [sent_at + number * every_ms for number in range(count)]
    ledger.add_transactions(partition, offsets, times, [SeenTransaction(f"p{partition}-{at}") for at in offsets])


def score(
    ledger: Ledger,
    offsets: Sequence[int],
    *,
    partition: int = 0,
    received_at: float = 1010.0,
    version: str = "m-1",
    decision: str = "approve",
    role: str = "champion",
) -> None:
    """Put one batch of scores of those transactions in."""
    scores = [SeenScore(f"p{partition}-{at}", decision, 0.1, version, at, 0, role) for at in offsets]
    ledger.add_scores(partition, scores, received_at)
