"""Small random streams of transactions: several cards, disorder, repetitions, everything a bank may send."""

import numpy as np

from models.features.card_entry import DAY_MS, HOUR_MS
from models.features.history import NO_LABEL, History
from models.features.profile_table import StepArrays
from models.schema.columns import TransactionColumns
from models.schema.hashing import hash64_column

START_MS = 1_525_132_800_000
MATURITY_MS = 7 * DAY_MS


def columns_of(times, amounts, *, cards=None, ids=None, terminals=None, country=None, channel=None):
    """Transactions of one card at one terminal unless told otherwise."""
    rows = len(times)
    return TransactionColumns.from_arrays(
        np.asarray(times, np.int64),
        np.asarray(amounts, np.int64),
        ["c"] * rows if cards is None else cards,
        [f"t{row}" for row in range(rows)] if ids is None else ids,
        ["s"] * rows if terminals is None else terminals,
        country=country,
        channel=channel,
    )


def random_columns(seed, rows=400, cards=4, terminals=6, days=75, disorder_h=40.0, repeated=0.05):
    """A stream whose event times are out of order by hours, some beyond a day, with repetitions of earlier rows."""
    rng = np.random.default_rng(seed)
    times = START_MS + np.sort(rng.integers(0, days * DAY_MS, rows))
    late = rng.random(rows) < 0.2
    times = times - np.where(late, (rng.exponential(disorder_h / 4, rows) * HOUR_MS).astype(np.int64), 0)
    times[rng.random(rows) < 0.05] += 40 * DAY_MS * (seed % 2)
    same_moment = np.flatnonzero(rng.random(rows) < 0.1)[1:]
    times[same_moment] = times[same_moment - 1]
    amounts = np.rint(np.exp(rng.normal(7.5, 1.2, rows))).astype(np.int64)
    amounts[rng.random(rows) < 0.02] = 10**11
    amounts[rng.random(rows) < 0.02] = 0
    origin = np.arange(rows)
    for row in np.flatnonzero(rng.random(rows) < repeated):
        origin[row] = rng.integers(0, row + 1)
    times[rng.random(rows) < repeated / 2] += 1
    card, terminal = rng.integers(0, cards, rows)[origin], rng.integers(0, terminals, rows)[origin]
    return TransactionColumns(
        event_time=np.where(origin == np.arange(rows), times, times[origin]),
        amount=amounts[origin],
        card=hash64_column([f"c{number}" for number in card]),
        transaction=hash64_column([f"t{row}" for row in origin]),
        terminal=hash64_column([f"s{number}" for number in terminal]),
        country=rng.choice([0, 276, 840], rows)[origin].astype(np.uint16),
        channel=rng.integers(0, 5, rows)[origin].astype(np.uint8),
        entry_mode=rng.integers(0, 7, rows)[origin].astype(np.uint8),
        mcc=rng.choice([0, 5411, 7995], rows)[origin].astype(np.uint16),
    )


def random_history(seed, **shape):
    """A stream with labels days later, some frauds never reported, and some declines."""
    columns = random_columns(seed, **shape)
    rng = np.random.default_rng(seed + 1)
    fraud = rng.random(len(columns)) < 0.3
    delay = rng.choice([0, 3, 7, 7, 12, 50], len(columns)) * DAY_MS
    labelled = rng.random(len(columns)) < 0.5
    return History(
        columns,
        fraud,
        np.where(labelled, columns.event_time + delay, NO_LABEL),
        declined=rng.random(len(columns)) < 0.1,
    )


def pieces(rows, seed, cuts):
    """Borders that split `rows` into random batches."""
    rng = np.random.default_rng(seed)
    return [0, *np.sort(rng.integers(0, rows + 1, cuts)).tolist(), rows]


def apply_profiles(table, as_of, changed, removed):
    """Take one step as a whole, as a scorer does: the changed profiles, and the terminals that have none any more."""
    records = {profile.terminal_id: profile for profile in changed}
    table.apply_counts(as_of, *StepArrays.of({**records, **dict.fromkeys(removed)}))
