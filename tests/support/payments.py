"""Made-up card transactions for tests: seeded, in event order, a few hundred cards."""

import numpy as np

from models.schema.transaction import Transaction

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000


def payments(
    count: int, *, seed: int = 1, cards: int = 300, start_ms: int = START_MS, days: float = 10, name: str = "x"
) -> list[Transaction]:
    """`count` transactions spread over some days from `start_ms`; the same arguments give the same transactions."""
    draw = np.random.default_rng(seed)
    times = (np.sort(draw.integers(0, int(days * DAY_MS), count)) + start_ms).tolist()
    rows = zip(
        times,
        draw.integers(0, cards, count).tolist(),
        draw.integers(0, 500, count).tolist(),
        draw.integers(100, 20_000, count).tolist(),
        strict=True,
    )
    return [
        Transaction(
            f"{name}{number}",
            at,
            f"card-{card}",
            f"terminal-{terminal}",
            amount,
            "EUR",
            mcc="5411",
            merchant_country="FR",
            channel="pos",
            entry_mode="chip",
        )  # fmt: skip
        for number, (at, card, terminal, amount) in enumerate(rows)
    ]
