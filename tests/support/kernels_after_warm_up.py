"""Says which kernels a worker still compiles behind its warm-up; run in a process that has used none of them."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba.core.registry import CPUDispatcher

from models.features.card_state import CardState
from models.features.profile_table import ProfileTable
from models.schema.money import default_reporting_currency
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.chaos.tiny_models import TinyModels
from stream_app.chaos.traffic import bank_records
from stream_app.checkpoints import CheckpointStore
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import RecordBatch
from stream_app.scoring.warm_up import warm_up

EVENTS, BATCH = 6_000, 500


def main() -> None:
    """Warm up, then do what a worker does: score, flag, write a checkpoint, restore it, replay, score on."""
    folder = Path(tempfile.mkdtemp())
    models, currency = TinyModels(folder), default_reporting_currency()
    model = LoadedModel.load(models.first, AllowedSigners.in_folder(models.signers))
    warm_up(model, currency)
    before = dict(compiled())
    records = bank_records(EVENTS, 1)

    def score(cards: CardState, state: int, output: int) -> int:
        start = LaneStart(state, output)
        profiles = ProfileTable(model.feature_set)
        lane = Lane(LaneIdentity(0, 1, "", 0, "w"), start, cards)
        scoring = JointScoring(model.feature_set, profiles, currency, 4)
        flagged = 0
        for first in range(state, EVENTS, BATCH):
            part = records[first : first + BATCH]
            offsets = np.arange(first, first + len(part))
            batch = RecordBatch(0, 0, offsets, [one.key for one in part], [one.value for one in part])
            flagged += scoring.score([(lane, batch)], Lineup(model), stale=False, now_ms=0)[0].flagged
        return flagged

    cards = CardState(model.feature_set)
    flagged = score(cards, 0, 0)
    store = CheckpointStore(str(folder / "checkpoints"))
    store.write("cards", "whole", {}, cards.everything())
    store.write("cards", "part", {}, cards.take_changes())
    restored = CardState(model.feature_set)
    restored.restore([store.read("cards", name).arrays for name in ("whole", "part")])
    restored.load_kernels()
    score(restored, EVENTS // 2, EVENTS // 2 + BATCH)
    late = [name for name, signatures in compiled() if signatures > before.get(name, 0)]
    sys.stdout.write(json.dumps({"flagged": flagged, "late": late}))


def compiled() -> Iterator[tuple[str, int]]:
    """Each kernel that a module of ours knows, and how many types it is compiled for."""
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        if name.startswith(("models", "stream_app")):
            for attribute, value in list(vars(module).items()):
                if isinstance(value, CPUDispatcher):
                    yield f"{name}.{attribute}", len(value.signatures)


if __name__ == "__main__":
    main()
