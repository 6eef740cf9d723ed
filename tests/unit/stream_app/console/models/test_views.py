"""Card, comparison, gate and release as the page shows them."""

import msgspec
import pytest

from models.alias import Alias
from models.manifest import Figures
from models.release.state import Candidate, ReleaseState
from models.schema import model_event
from models.signing import AllowedSigners, SigningKey
from stream_app.console.models.card import ModelCard
from stream_app.console.models.comparison import Comparison
from stream_app.console.models.gate import gate_view
from stream_app.console.models.outcome import outcome
from stream_app.console.models.release import ReleaseView
from stream_app.console.models.verification import Verifier
from stream_app.retrain.report import RetrainReport
from tests.unit.models.small_model import made_bundle
from tests.unit.stream_app.console.models.audit_of_a_release import GATE, REQUEST, whole_release


@pytest.fixture(scope="module")
def key():
    return SigningKey.generate()


@pytest.fixture(scope="module")
def manifests(key):
    def figures(value, rows=100):
        return {"hold_out": Figures("a fit on earlier rows", 0, 1, rows, 5, {"average_precision": value})}

    return [
        made_bundle(key, created_at=1, metrics=figures(0.5)).manifest,
        made_bundle(
            key,
            created_at=2,
            metrics=figures(0.75),
            parameters={"max_iter": 30, "learning_rate": 0.2, "min_samples_leaf": 5},
        ).manifest,
        made_bundle(key, created_at=3, metrics=figures(0.75, rows=101)).manifest,
    ]


def test_a_card_says_what_the_manifest_says_and_whose_the_figures_are(manifests):
    version = manifests[0].version
    card = ModelCard.of(manifests[0], {"champion": Alias("champion", version, 1, "ada", "first", 0)})
    facts = dict(card.facts)
    assert card.aliases == ("champion",)
    assert facts["thresholds"] == "review from 0.5000, decline from 0.9000"
    assert facts["data versions"] == "no tables: not trained from the archive"
    assert facts["parameters"] == "learning_rate 0.2, max_iter 25, min_samples_leaf 5"
    assert (card.figures[0].name, card.figures[0].fit) == ("hold out", "a fit on earlier rows")
    assert card.figures[0].values == (("average precision", "0.5000"),)


def test_a_comparison_marks_what_differs_and_says_whether_figures_rest_on_the_same_rows(manifests):
    found = Comparison.of(manifests[0], manifests[1])
    parameters = {row.name: row.differs for table in found.tables if table.name == "Parameters" for row in table.rows}
    assert parameters == {"max_iter": True, "learning_rate": False, "min_samples_leaf": False}
    figures = next(table for table in found.tables if table.name == "hold out")
    assert (figures.rows[0].first, figures.rows[0].second, figures.rows[0].difference) == (
        "0.5000",
        "0.7500",
        "+0.2500",
    )
    assert figures.note == "on the same rows"
    other = next(table for table in Comparison.of(manifests[0], manifests[2]).tables if table.name == "hold out")
    assert other.note.startswith("not on the same rows")
    assert (found.only_first, found.only_second) == ((), ())


def test_a_gate_report_is_the_retrains_where_that_is_known_else_the_manifests(manifests):
    report = RetrainReport(request=REQUEST, outcome="undecided", number=2, as_of=5_000, champion="m-1", gate=GATE)
    view = gate_view(report, None)
    assert view is not None
    assert (view.verdict, view.reasons, view.from_manifest) == ("undecided", ("was not timed",), False)
    assert dict(view.facts)["judged on"] == "4,000 rows, 70 frauds, 40 of them deciding"
    assert (view.rows[0].figure, view.rows[0].interval, view.rows[0].limits) == ("0.05", "0.01 to 0.09", "at least 0")
    assert view.rows[0].drawn is not None
    drawn = view.rows[0].drawn
    assert [*drawn.limits, drawn.low, drawn.figure, drawn.high] == [8.0, 24.0, 88.0, 152.0]
    assert view.rows[1].drawn is None
    kept = gate_view(None, msgspec.to_builtins(GATE))
    assert kept is not None
    assert kept.from_manifest
    assert gate_view(None, None) is None
    assert gate_view(None, {"verdict": "of another version"}) is None


def test_a_release_shows_its_guardrails_while_it_lasts_and_nothing_of_the_last_one():
    checks = (
        model_event.Check(name="latency", figure=1.2, limit=2.0, verdict="ok", sentence="fast", rows=10),
        model_event.Check(name="alert rate", figure=3.0, limit=2.0, verdict="broken", sentence="many", rows=10),
    )
    state = ReleaseState(
        stage="shadow", version="m-2", baseline="m-1", rows=4_000, checks=checks, offered=Candidate(version="m-3")
    )
    view = ReleaseView.of(state)
    assert (view.version, view.baseline, view.transactions, view.broken) == ("m-2", "m-1", 4_000, 1)
    assert [(row.name, row.figure, row.limit) for row in view.rows] == [
        ("latency", "1.2", "2"),
        ("alert rate", "3", "2"),
    ]
    assert view.offered == "m-3"
    idle = ReleaseView.of(msgspec.structs.replace(state, stage="idle", frozen="m-2 was rolled back"))
    assert (idle.version, idle.rows, idle.transactions, idle.frozen) == (None, (), 0, "m-2 was rolled back")


def test_a_bundle_is_verified_under_the_signers_that_count_now(key):
    bundle = made_bundle(key)
    allowed = AllowedSigners.of([key.public_key])
    verifier = Verifier(lambda _version: bundle, lambda: allowed)
    found = verifier.verify(bundle.version)
    assert found.failure is None
    assert found.golden_rows > 0
    assert found.importance
    assert [weight for _, weight in found.importance] == sorted((w for _, w in found.importance), reverse=True)
    assert verifier.verify(bundle.version) is found
    allowed = AllowedSigners.of([SigningKey.generate().public_key])
    assert "allowed signers are" in (verifier.verify(bundle.version).failure or "")


def test_a_bundle_that_was_altered_since_is_not_taken_from_memory(key):
    stored = [made_bundle(key)]
    verifier = Verifier(lambda _version: stored[0], lambda: AllowedSigners.of([key.public_key]))
    assert verifier.verify("m").failure is None
    altered = stored[0]
    stored[0] = type(altered)(altered.manifest_bytes, altered.onnx + b"!", altered.signature, altered.signer)
    assert "truncated or altered" in (verifier.verify("m").failure or "")


def test_whoever_acted_is_told_what_came_of_it_and_nobody_else():
    first = whole_release()[0]
    assert outcome(first, "ada") == "Champion is now m-old (record 1, ada: promote of m-old)."
    assert outcome(first, "bob") is None
