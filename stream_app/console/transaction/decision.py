"""One decision with all that was recorded when it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.features.feature_set import FEATURE_SETS
from models.schema.feature_batch import FeatureRows
from models.schema.score import Score
from models.schema.topics import FEATURES, SCORES, TRANSACTIONS
from models.schema.transaction import Transaction
from stream_app.console.records.place import Place


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRecord:
    """The feature row that counts for a score.

    Attributes
    ----------
    values: float32[features], as they were used.
    score: as the model gave it, before any rounding.
    beside: what the other models said, None where one gave no score.
    """

    names: Sequence[str]
    values: npt.NDArray[np.float32]
    score: np.float32
    writer: str
    model_version: str
    terminal_id: str
    amount_minor: int
    currency: str
    control: bool
    pass_probability: float
    beside: Sequence[tuple[str, float | None]]
    profiles_as_of: int
    recomputed: bool
    verified: bool

    @classmethod
    def of_archive(cls, row: Mapping[str, Any]) -> "FeatureRecord":
        """Read a row of the table `features`."""
        known = FEATURE_SETS.get(row["feature_set"])
        values = np.array(row["values"], np.float32)
        names = known.names if known is not None else [f"column {at}" for at in range(len(values))]
        return cls(names, values, np.float32(row["score"]), *(row[name] for name in _SAME), *_of_shadow(row))

    @classmethod
    def of_message(cls, rows: FeatureRows, at: int) -> "FeatureRecord":
        """Read one row of a message of `features`."""
        row: dict[str, Any] = rows.table.slice(at, 1).to_pylist()[0]
        score = np.float32(rows.numpy("score")[at])
        return cls(rows.feature_names, rows.values[at], score, *(row[name] for name in _SAME), *_of_shadow(row))


_SAME = (
    "writer",
    "model_version",
    "terminal_id",
    "amount_minor",
    "currency",
    "control",
    "pass_probability",
)


def _of_shadow(row: Mapping[str, Any]) -> tuple[Any, ...]:
    beside = [(entry["model_version"], entry["score"]) for entry in row["shadow_scores"] or ()]
    return beside, row["profiles_as_of"], row["recomputed"], row["verified"]


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A score with its feature row and its transaction.

    Attributes
    ----------
    feature: None where the feature log has no row of it (any more).
    transaction: None where the topic and the archive have it no more.
    source: where it was found, in words.
    """

    place: Place
    score: Score
    feature: FeatureRecord | None
    transaction: Transaction | None
    source: str

    @classmethod
    def of_archive(cls, place: Place, found: Mapping[str, Mapping[str, Any] | None], source: str) -> "Decision | None":
        """Read rows of the archive's tables; None where the score is not there."""
        score, feature, sent = found[SCORES], found[FEATURES], found[TRANSACTIONS]
        if score is None:
            return None
        return cls(
            place,
            msgspec.convert({name: score[name] for name in Score.__struct_fields__}, Score),
            None if feature is None else FeatureRecord.of_archive(feature),
            None if sent is None else Transaction(**{name: sent[name] for name in Transaction.__struct_fields__}),
            source,
        )

    @property
    def terminal_id(self) -> str | None:
        """Where it was paid, as far as that is still known."""
        known = self.feature or self.transaction
        return None if known is None else known.terminal_id

    @property
    def amount(self) -> tuple[int, str] | None:
        """Minor units and currency, as far as they are still known."""
        known = self.feature or self.transaction
        return None if known is None else (known.amount_minor, known.currency)
