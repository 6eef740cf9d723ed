"""Made-up card transactions for tests: seeded, in event order, a few hundred cards."""

import numpy as np

from models.schema.transaction import Transaction

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000


def payments(
    count: int,
    *,
    part: int = 0,
    cards: int = 300,
    start_ms: int | None = None,
    days: float = 10,
    name: str | None = None,
) -> list[Transaction]:
    """`count` transactions spread over some days; the same arguments give the same transactions.

    Part 1 goes on a day after part 0 has ended, part 2 after part 1. Ids begin with the part's letter: x, y, z, w.
    """
    draw = np.random.default_rng(part + 1)
    first = START_MS + part * 11 * DAY_MS if start_ms is None else start_ms
    times = (np.sort(draw.integers(0, int(days * DAY_MS), count)) + first).tolist()
    rows = zip(
        times,
        draw.integers(0, cards, count).tolist(),
        draw.integers(0, 500, count).tolist(),
        draw.integers(100, 20_000, count).tolist(),
        strict=True,
    )
    letter = "xyzw"[part] if name is None else name
    return [_payment(f"{letter}{number}", *row) for number, row in enumerate(rows)]


def _payment(transaction_id: str, at: int, card: int, terminal: int, amount: int) -> Transaction:
    return Transaction(
        transaction_id,
        at,
        f"card-{card}",
        f"terminal-{terminal}",
        amount,
        "EUR",
        mcc="5411",
        merchant_country="FR",
        channel="pos",
        entry_mode="chip",
    )
