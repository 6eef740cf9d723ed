"""Scores one made-up transaction before the group is joined: loading compiled kernels delays no real batch."""

import numpy as np

from models.features.card_state import CardArrays, CardState
from models.features.profile_table import ProfileTable
from models.schema import wire
from models.schema.money import ReportingCurrency
from models.schema.transaction import Transaction
from models.scorer import LoadedModel
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import RecordBatch

_EVENT_TIME = 1_525_132_800_000
_LONG_HISTORY = 5_000


def warm_up(model: LoadedModel, currency: ReportingCurrency) -> None:
    """Run a lane once over a record and a replayed one; nothing of it leaves this function.

    Why: a process's first use of the kernels takes a second or more, which would count as standing still under the
    lease.
    """
    feature_set = model.feature_set
    identity = LaneIdentity(partition=0, partitions=1, topic_id="", epoch=0, writer="")
    lane = Lane(identity, LaneStart(state_offset=0, output_offset=1), CardState(feature_set))
    scoring = JointScoring(feature_set, ProfileTable(feature_set), currency, reasons=1)
    value = wire.encode(Transaction("warm-up", _EVENT_TIME, "warm-up", "warm-up", 1, currency.currency))
    batch = RecordBatch(0, 0, np.arange(2), [None, None], [value, value])
    (scored,) = scoring.score([(lane, batch)], Lineup(model), stale=False, now_ms=0)
    scoring.log([(lane, scored)])
    lane.cards.load_kernels()
    lane.cards.restore([_as_read_back(lane.cards.everything()), _as_read_back(lane.cards.take_changes())])


def _as_read_back(part: CardArrays) -> CardArrays:
    """The same as a checkpoint gives it: read-only, which is another type to a kernel, and too much for a new pool."""
    lengths = np.full(len(part["lengths"]), _LONG_HISTORY, np.int32)
    grown = {**part, "lengths": lengths, "entries": np.repeat(part["entries"], _LONG_HISTORY)}
    for array in grown.values():
        array.flags.writeable = False
    return grown
