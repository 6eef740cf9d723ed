"""A decision read from the archive or from a message: explained, computed again and put into words."""

import math

import msgspec
import numpy as np
import pytest

from models.features.feature_set import DEFAULT
from models.schema.feature_batch import decode_feature_batch
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.chaos.tiny_models import TinyModels
from stream_app.console.records.archived import ArchivedRecords
from stream_app.console.records.place import Place
from stream_app.console.transaction.decision import Decision, FeatureRecord
from stream_app.console.transaction.explanation import Explanation
from stream_app.console.transaction.reproduction import Reproduction
from stream_app.console.transaction.words import remarks
from tests.support.archive_records import feature_message
from tests.unit.stream_app.console.records.made_archive import SENT, MadeArchive
from tests.unit.stream_app.console.review.made_cases import score


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    tiny = TinyModels(tmp_path_factory.mktemp("models"))
    return LoadedModel.load(tiny.first, AllowedSigners.in_folder(tiny.signers))


def decided(model, *, nudge=0.0, **changed):
    """A decision that a model has really made, on values of its own, one of which is unknown."""
    values = model.manifest.golden.values(len(DEFAULT))[0].copy()
    values[DEFAULT.index("card_count_1d")] = np.nan
    (given,) = model.score(values[np.newaxis])
    message, _ = feature_message([SENT[0]], 7, model_version=model.version)
    record = FeatureRecord.of_message(decode_feature_batch(message), 0)
    record = FeatureRecord(record.names, values, given, *[getattr(record, name) for name in record.__slots__[3:]])
    said = score(7, float(np.nextafter(given, np.float32(1)) if nudge else given), model_version=model.version)
    return Decision(Place(3, 0, 7), msgspec.structs.replace(said, **changed), record, None, "the topics")


def test_the_parts_of_a_score_add_up_to_its_log_odds(model):
    decision = decided(model)
    explanation = Explanation.of(model, decision.feature)
    total = explanation.base + sum(bar.contribution for bar in explanation.bars)
    assert total == pytest.approx(explanation.score_margin, abs=1e-5)
    assert explanation.difference < 1e-5
    assert explanation.adds_up
    assert explanation.bars[0].share == 1.0
    sizes = [abs(bar.contribution) for bar in explanation.bars]
    assert sizes == sorted(sizes, reverse=True)
    assert {bar.direction for bar in explanation.bars} <= {"fraud", "genuine"}


def test_the_same_model_gives_the_same_bits_again(model):
    decision = decided(model)
    again = Reproduction.of(model, decision, decision.feature)
    assert again.is_equal
    assert again.in_words.startswith(f"Equal, bit for bit: {model.version} gives ")


def test_one_bit_of_difference_is_no_equal_score(model):
    decision = decided(model, nudge=1)
    again = Reproduction.of(model, decision, decision.feature)
    assert not again.is_equal
    assert "Different" in again.in_words


def test_rows_of_the_archive_and_of_a_message_are_the_same_record(tmp_path):
    made = MadeArchive(tmp_path)
    made.fill()
    archive = ArchivedRecords(made.url)
    (hit,) = archive.find(SENT[1].transaction_id).hits
    decision = Decision.of_archive(hit.place, archive.row(hit), "the archive")
    assert decision is not None
    assert decision.feature is not None
    rows = decode_feature_batch(feature_message(SENT, 100)[0])
    live = FeatureRecord.of_message(rows, 1)
    assert decision.feature.values.tobytes() == live.values.tobytes()
    for name in live.__slots__:
        if name not in ("values", "names"):
            assert getattr(decision.feature, name) == getattr(live, name), name
    assert tuple(decision.feature.names) == tuple(live.names)
    assert decision.transaction == SENT[1]
    assert decision.amount == (SENT[1].amount_minor, "EUR")


def test_marks_are_said_in_sentences(model):
    said = " ".join(remarks(decided(model, degraded=True, duplicate=True, role="canary", epoch=2)))
    for word in ("Degraded:", "Duplicate:", "canary", "epoch 2"):
        assert word in said
    bare = Decision(Place(3, 0, 7), score(7), None, None, "the topics")
    assert list(remarks(bare)) == [
        "The feature log has no row of it any more: it can be neither explained nor computed again."
    ]
    assert (bare.amount, bare.terminal_id) == (None, None)


@pytest.mark.parametrize(
    ("margin", "score_margin", "adds_up"),
    [(7.65, -7.65, False), (-2.0, -1.9, False), (3.0, 3.0001, True), (17.0, math.inf, True)],
)
def test_parts_that_do_not_make_the_score_are_told_apart(margin: float, score_margin: float, *, adds_up: bool) -> None:
    assert Explanation("v", 0.0, [], margin, score_margin).adds_up is adds_up
