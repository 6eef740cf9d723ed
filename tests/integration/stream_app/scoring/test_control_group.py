"""The control group on a real broker: what is published of it, and the same of it after a SIGKILL."""

import signal
from pathlib import Path

import numpy as np

from models.control_group import ControlGroup, ControlPolicy
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema import wire
from models.schema.feature_batch import decode_feature_batch
from models.schema.money import default_reporting_currency
from models.schema.score import Score
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.scoring.control_seed import load_or_create_seed
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import RecordBatch
from tests.support import sabotage
from tests.support.payments import START_MS, payments
from tests.support.scored_output import Place
from tests.support.scoring_world import ScoringWorld, assert_same_bits

OPTIONS = ("--batch", "130", "--control-share", "0.3", "--control-amount-cap", "150", "--control-day-cap", "20")
Columns = dict[str, np.ndarray]


def undisturbed(world: ScoringWorld, seed: bytes) -> dict[int, Columns]:
    """Each partition scored in one go, in this process."""
    model = LoadedModel.load(world.models.declining, AllowedSigners.in_folder(world.models.signers))
    policy = ControlPolicy(0.3, 15_000, 20, seed=seed)
    columns = {}
    for partition, sent in world.sent.items():
        lane = Lane(
            LaneIdentity(partition, world.partitions, "", 0, ""), LaneStart(0, 0), CardState(DEFAULT),
            ControlGroup(policy, policy.day_cap_of(partition, world.partitions)),
        )  # fmt: skip
        values = [wire.encode(transaction) for transaction in sent]
        batch = RecordBatch(partition, 0, np.arange(len(sent)), [None] * len(sent), list(values))
        scoring = JointScoring(DEFAULT, ProfileTable(DEFAULT), default_reporting_currency(), 4)
        (scored,) = scoring.score([(lane, batch)], Lineup(model), stale=False, now_ms=START_MS)
        scoring.log([(lane, scored)])
        (message,) = scored.features
        columns[partition] = recorded(message.value)
    return columns


def recorded(message: bytes) -> Columns:
    """What is compared of a feature message."""
    rows = decode_feature_batch(message)
    names = ("source_offset", "control", "pass_probability", "score", "recomputed", "verified")
    numbers = {name: rows.numpy(name) for name in names}
    return {**numbers, "decision": np.array(rows.strings("decision")), "values": rows.values}


def published(world: ScoringWorld) -> dict[int, Columns]:
    """The feature rows that count, in offset order: each offset's first, recomputed or not."""
    world.output.features.read_to_end()
    found = {}
    for partition, records in world.output.features.records.items():
        parts = [recorded(record.value() or b"") for record in records]
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        _, firsts = np.unique(whole["source_offset"], return_index=True)
        found[partition] = {name: column[firsts] for name, column in whole.items()}
    return found


def test_declines_let_pass_are_approved_in_scores_marked_in_features_and_the_same_after_a_sigkill(
    world: ScoringWorld, tmp_path: Path
) -> None:
    world.promote(world.models.declining)
    world.send(payments(4000))
    seed = load_or_create_seed(tmp_path / "shared-seed")
    options = (*OPTIONS, "--control-seed", str(tmp_path / "shared-seed"))
    killed = world.start(*options, sabotage=sabotage.dies_before_the_feature_rows_of_a_control_group)
    assert killed.ended() == -signal.SIGKILL
    worker = world.start(*options)
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert "the size of the control group is said after the first event day" in worker.said
    expected, found = undisturbed(world, seed), published(world)
    for partition, columns in expected.items():
        for name in ("source_offset", "control", "pass_probability", "score", "decision"):
            np.testing.assert_array_equal(found[partition][name], columns[name], err_msg=f"{name} of {partition}")
        assert_same_bits(found[partition]["values"], columns["values"], f"partition {partition}")
        assert found[partition]["verified"].all()
        check_scores(partition, kept, found[partition])
    control = np.concatenate([columns["control"] for columns in found.values()])
    recomputed = np.concatenate([columns["recomputed"] for columns in found.values()])
    assert np.count_nonzero(control & recomputed) >= 4
    assert (control & ~recomputed).any()


def check_scores(partition: int, kept: dict[Place, Score], columns: Columns) -> None:
    """Scores say what the feature rows say; a row let pass is an approval without reasons."""
    scores = [score for place, score in kept.items() if place[0] == partition]
    assert [score.decision for score in scores] == columns["decision"].tolist()
    passed = [score for score, control in zip(scores, columns["control"], strict=True) if control]
    assert {(score.decision, bool(score.reason_codes)) for score in passed} == {("approve", False)}
    assert min(score.score for score in passed) >= 0.7
