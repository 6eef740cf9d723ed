"""Small labelled tables from a seed: two classes that two columns decide, and changes at a known row."""

import numpy as np
import pyarrow as pa

ROWS, REFERENCE, CHANGE = 3_500, 1_400, 2_450


def small_table(
    seed: int = 1, *, rows: int = ROWS, shift: float = 0.0, turn: bool = False, turn_back_at: int | None = None
) -> pa.Table:
    """From row CHANGE on column `size` may shift, or the label's rule turn against it, until it turns back."""
    random = np.random.default_rng(seed)
    row = np.arange(rows)
    changed = (row >= CHANGE) & (row < (rows if turn_back_at is None else turn_back_at))
    size, age = random.normal(size=(2, rows))
    size += np.where(changed, shift, 0.0)
    sign = np.where(changed & turn, -1.0, 1.0)
    chance = 1.0 / (1.0 + np.exp(-3.0 * (sign * size + age)))
    colour = np.array(["blue", "green", "red"])[random.integers(0, 3, rows)]
    label = np.where(random.random(rows) < chance, "bought", "left")
    return pa.table({"row": row, "size": size, "age": age, "colour": colour, "label": label})
