"""What is said of a model that was made again."""

import msgspec
import pytest

from models.manifest import Manifest, Thresholds
from models.signing import SigningKey
from models.thresholds import ReviewPolicy
from models.training import Recipe
from stream_app.commands.models_reproduce import compared
from stream_app.retrain.making import MakingError, SimulatedMaking, fit_of, from_manifest, in_manifest
from tests.unit.models.small_model import made_bundle


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return made_bundle(SigningKey.generate()).manifest


def test_equal_manifests_have_no_difference_whatever_code_and_time_they_name(manifest: Manifest) -> None:
    assert compared(manifest, msgspec.structs.replace(manifest, code_commit="another", created_at=1)) == []


def test_what_differs_is_named_with_both_values(manifest: Manifest) -> None:
    data = msgspec.structs.replace(manifest.data, rows=7)
    again = msgspec.structs.replace(manifest, data=data, onnx_sha256="0" * 64, thresholds=Thresholds(0.6, 0.9))
    differences = compared(manifest, again)
    assert differences[0] == f"data: rows {manifest.data.rows} is now 7"
    assert differences[1] == f"onnx_sha256: {manifest.onnx_sha256[:23]}… is now {'0' * 23}…"
    assert differences[2] == "thresholds: review 0.5 is now 0.6"
    assert len(differences) == 3


def test_how_a_model_was_made_comes_back_from_its_manifest(manifest: Manifest) -> None:
    recipe = Recipe("lightgbm", {"num_iterations": 3}, 7, policy=ReviewPolicy(alerts_per_day=5.0))
    making = SimulatedMaking(
        customers=100, terminals=100, transactions_per_day=200.0, days=40, seed=3, source="a bank", from_day=7,
        as_of=86_400_000, maturity_ms=604_800_000, threads=1, **fit_of(recipe),
    )  # fmt: skip
    stored = msgspec.structs.replace(manifest, making=in_manifest(making)).sealed()
    read = msgspec.json.decode(stored.canonical_bytes(), type=Manifest)
    assert from_manifest(read.version, read.making) == making


@pytest.mark.parametrize("making", [None, {"kind": "by hand"}])
def test_a_model_that_does_not_say_how_it_was_made_is_refused(making: dict[str, object] | None) -> None:
    with pytest.raises(MakingError, match="m-1"):
        from_manifest("m-1", making)
