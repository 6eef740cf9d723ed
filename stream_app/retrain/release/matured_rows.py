"""Mature transactions that a champion decided and the model before it scored beside, as the archive has them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.release.matured import MaturedRows
from models.retraining.evidence import control_weights
from models.schema.topics import DAY_MS
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.table_files import quoted
from stream_app.retrain.training_set import ANSWERED

_COLUMNS: Final = (
    "score::FLOAT AS score, [beside.score FOR beside IN shadow_scores IF beside.model_version = {baseline}][1] "
    "AS previous_score, coalesce(is_fraud, false) AS is_fraud, hash(card_id) AS card, "
    "decision = 'decline' AS declined, pass_probability"
)


def matured_rows(
    history: ArchivedHistory,
    version: str,
    baseline: str,
    *,
    since: int,
    until: int,
    as_of: int,
    largest_weight: float,
) -> MaturedRows:
    """Return the rows that the champion decided and the other one scored too, with what is known of them at a moment.

    Parameters
    ----------
    history: the archive, pinned.
    version, baseline: the champion and the model before it.
    since, until: event times of the first row and behind the last one, ms.
    as_of: event time, ms; statements made later are not known.
    largest_weight: weight that no control row exceeds.
    """
    days = [day for day in history.days() if since // DAY_MS <= day <= (until - 1) // DAY_MS]
    decided = history.scored(days, as_of).filter(
        f"{ANSWERED} AND model_version = {quoted(version)} AND event_time >= {since:d} AND event_time < {until:d}"
    )
    both = decided.select(_COLUMNS.format(baseline=quoted(baseline))).filter("previous_score IS NOT NULL")
    found: dict[str, npt.NDArray[Any]] = both.fetchnumpy()
    return MaturedRows(
        score=found["score"],
        previous_score=found["previous_score"],
        is_fraud=np.asarray(found["is_fraud"], np.bool_),
        card=found["card"],
        weight=control_weights(found["declined"], found["pass_probability"], largest_weight),
    )
