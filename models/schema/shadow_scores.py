"""What the models that did not decide say of each row: the column `shadow_scores` of the feature log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.schema.arrow_columns import ALL_VALID, Column, fixed, texts

SHADOW_SCORES: Final = pa.list_(pa.struct([("model_version", pa.string()), ("score", pa.float32())]))
"""Type of the column; null where nothing but the deciding model scored, a null score where a model gave none."""


@dataclass(frozen=True, slots=True)
class ShadowScores:
    """The scores of all models of one batch; each row is to leave out the one that decided it.

    Parameters
    ----------
    versions:
        The k models, at least two.
    scores:
        float32 [k, n], NaN where a model gave none.
    decided_by:
        For each row the place in `versions` of the model that decided, intp [n].
    """

    versions: Sequence[str]
    scores: NDArray[np.float32]
    decided_by: NDArray[np.intp]

    @classmethod
    def joined(cls, parts: Sequence["ShadowScores"]) -> "ShadowScores | None":
        """Those of several batches by the same models as of one; None where there are none."""
        if not parts:
            return None
        scores = np.concatenate([part.scores for part in parts], axis=1)
        return cls(parts[0].versions, scores, np.concatenate([part.decided_by for part in parts]))

    def slice(self, rows: slice) -> "ShadowScores":
        """Those of some rows."""
        return ShadowScores(self.versions, self.scores[:, rows], self.decided_by[rows])

    def to_column(self) -> Column:
        """The column, the models of each row in the order of `versions`."""
        models, rows = self.scores.shape
        listed = np.ones((rows, models), np.bool_)
        listed[np.arange(rows), self.decided_by] = False
        codes = np.broadcast_to(np.arange(models), (rows, models))[listed]
        scores = self.scores.T[listed]
        (versions,) = texts([[self.versions[code] for code in codes.tolist()]], len(codes))
        ends = np.arange(rows + 1, dtype=np.int32) * (models - 1)
        return _lists((rows, 0), ALL_VALID, ends, versions, fixed(scores, np.float32, ~np.isnan(scores)))


def no_shadow_scores(rows: int) -> Column:
    """The column where none but the deciding model scored."""
    return _lists((rows, rows), bytes(-(-rows // 8)), np.zeros(rows + 1, np.int32), *_NONE)


def _lists(node: tuple[int, int], valid: bytes, ends: NDArray[np.int32], versions: Column, scores: Column) -> Column:
    entries = (versions.nodes[0], 0)
    return Column(
        (*node, *entries, *versions.nodes, *scores.nodes),
        (valid, ends.tobytes(), ALL_VALID, *versions.buffers, *scores.buffers),
    )


_NONE: Final = (*texts([[]], 0), fixed([], np.float32))


def shadow_scores_of(column: Any, version: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The rows in whose entries a model stands, and its scores there, NaN where it gave none.

    Parameters
    ----------
    column:
        `shadow_scores` of a decoded message.
    """
    entries = column.flatten()
    named = pc.equal(entries.field("model_version"), pa.scalar(version))
    mine = np.flatnonzero(named.to_numpy(zero_copy_only=False))
    rows = np.asarray(pc.list_parent_indices(column).to_numpy(zero_copy_only=False))[mine].astype(np.intp)
    return rows, np.asarray(entries.field("score").to_numpy(zero_copy_only=False), np.float32)[mine]
