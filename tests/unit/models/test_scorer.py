"""A loaded model scores, decides and explains, or refuses."""

import base64
import dataclasses
import hashlib

import msgspec
import numpy as np
import pytest

from models.bundle import Bundle, BundleError
from models.families.catalogue import FAMILIES
from models.features.feature_set import DEFAULT
from models.manifest import Golden, ManifestError, Thresholds
from models.scorer import APPROVE, DECLINE, REVIEW, LoadedModel, ScoringError
from tests.unit.models.small_model import made_rows


@pytest.fixture(scope="module")
def model(bundle, allowed) -> LoadedModel:
    return LoadedModel.load(bundle, allowed)


@pytest.fixture(scope="module")
def values():
    return made_rows(300, len(DEFAULT), seed=9)[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_bundle_of_every_family_loads_and_keeps_its_golden_scores(name, make_bundle, allowed):
    loaded = LoadedModel.load(make_bundle(family_name=name), allowed)
    assert loaded.check_golden() < 1e-6
    assert loaded.feature_set is DEFAULT


def test_scores_are_float32_probabilities_one_per_row(model, values):
    scores = model.score(values)
    assert (scores.dtype, scores.shape) == (np.float32, (300,))
    assert ((scores >= 0) & (scores <= 1)).all()


def test_no_rows_score_as_no_scores(model, values):
    assert model.score(values[:0]).shape == (0,)
    assert model.explain(values[:0]) == []


def test_rows_of_another_width_or_type_are_refused(model, values):
    with pytest.raises(ScoringError, match=f"rows of {len(DEFAULT)} features, not float32"):
        model.score(values[:, 1:])
    with pytest.raises(ScoringError, match="not float64"):
        model.score(values.astype(np.float64))


def test_a_score_that_is_no_number_is_refused(model, values):
    class Broken:
        def score(self, _values):
            return np.array([0.5, np.nan], dtype=np.float32)

    with pytest.raises(ScoringError, match="row 1 as nan"):
        dataclasses.replace(model, _evaluator=Broken()).score(values)


def test_decisions_follow_the_thresholds_up_to_the_last_bit(model):
    review, decline = np.float32(0.5), np.float32(0.9)
    scores = np.array([0.0, np.nextafter(review, 0), review, np.nextafter(decline, 0), decline, 1.0], dtype=np.float32)
    assert model.decide(scores).tolist() == [APPROVE, APPROVE, REVIEW, REVIEW, DECLINE, DECLINE]
    assert model.decide(scores).dtype == np.uint8


def test_without_a_decline_threshold_nothing_is_declined(make_bundle, allowed):
    loaded = LoadedModel.load(make_bundle(thresholds=Thresholds(0.5)), allowed)
    assert loaded.decide(np.array([1.0], dtype=np.float32)).tolist() == [REVIEW]


def test_explanations_are_the_largest_contributions_towards_fraud(model, values):
    contributions = model.contributions(values)
    for row, explained in enumerate(model.explain(values, top=3)):
        assert len(explained) <= 3
        assert [column for column, _ in explained] == list(np.argsort(-contributions[row], kind="stable"))[
            : len(explained)
        ]
        assert all(added > 0 and added == contributions[row, column] for column, added in explained)


def test_a_bundle_for_an_unknown_feature_set_is_refused(make_bundle, allowed):
    with pytest.raises(BundleError, match="needs feature set fs0-dead; this release has"):
        LoadedModel.load(make_bundle(feature_set="fs0-dead"), allowed)


def test_a_bundle_that_names_other_features_is_refused(make_bundle, allowed):
    with pytest.raises(BundleError, match="names other features"):
        LoadedModel.load(make_bundle(feature_names=[*DEFAULT.names[1:], DEFAULT.names[0]]), allowed)


def test_a_bundle_that_misses_its_golden_scores_is_refused(make_bundle, bundle, allowed):
    golden = bundle.manifest.golden
    moved = Golden(golden.features, [golden.scores[0] + 0.001, *golden.scores[1:]])
    with pytest.raises(BundleError, match=r"differs from its golden scores by 0\.001"):
        LoadedModel.load(make_bundle(golden=moved), allowed)


def test_a_bundle_without_golden_vectors_is_refused(make_bundle, allowed):
    with pytest.raises(BundleError, match="no golden vectors"):
        LoadedModel.load(make_bundle(golden=Golden("", [])), allowed)


def test_golden_vectors_of_another_width_are_refused(make_bundle, allowed):
    short = Golden(base64.b64encode(bytes(8)).decode(), [0.5])
    with pytest.raises(ManifestError, match="golden vectors hold 8 bytes"):
        LoadedModel.load(make_bundle(golden=short), allowed)


def test_a_signed_graph_that_is_none_is_refused(bundle, allowed, key):
    manifest = msgspec.structs.replace(bundle.manifest, onnx_sha256=hashlib.sha256(b"no graph").hexdigest()).sealed()
    content = manifest.canonical_bytes()
    with pytest.raises(BundleError, match="cannot be loaded"):
        LoadedModel.load(Bundle(content, b"no graph", key.sign(content), key.signer), allowed)


@pytest.mark.parametrize("part", ["onnx", "signature", "signer", "manifest_bytes"])
def test_what_does_not_verify_is_never_parsed(bundle, allowed, monkeypatch, part):
    def parsed(*_args, **_kwargs):
        raise AssertionError("parsed before it was verified")

    for module, name in (("models.scorer.onnx", "load_model_from_string"), ("models.scorer", "evaluator_of")):
        monkeypatch.setattr(f"{module}.{name}", parsed)
    if part != "onnx":  # the graph's hash stands in the manifest, which is parsed once its signature fits
        monkeypatch.setattr("models.bundle.decode_manifest", parsed)
    content = getattr(bundle, part)
    bent = f"x{content[1:]}" if isinstance(content, str) else bytes([content[0] ^ 1]) + content[1:]
    with pytest.raises(BundleError):
        LoadedModel.load(dataclasses.replace(bundle, **{part: bent}), allowed)
