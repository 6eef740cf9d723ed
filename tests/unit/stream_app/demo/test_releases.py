"""The demo's first model can be made again from what their manifests say."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from models.bundle import Bundle
from models.features.feature_set import DEFAULT
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from models.training import Provenance
from stream_app.commands.models_reproduce import simulated_again
from stream_app.demo.bank import Bank
from stream_app.demo.plan import DemoPlan
from stream_app.demo.releases import Releases, inverted
from stream_app.retrain.making import InvertedMaking, SimulatedMaking, from_manifest

PLAN = DemoPlan(customers=300, terminals=100, transactions_per_day=600.0, fit={"max_iter": 5, "max_leaf_nodes": 7})


class Shelf:
    """Keeps bundles."""

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []

    def put(self, bundle: Bundle) -> None:
        self.bundles.append(bundle)


def test_a_model_of_the_demo_is_made_again_from_its_manifest_alone(tmp_path: Path) -> None:
    shelf, bank = Shelf(), Bank(PLAN)
    releases = Releases(cast("Any", shelf), tmp_path, PLAN, Provenance(1_700_000_000_000, "c0ffee"))
    releases.learn(bank.past(), bank.start_ms)
    manifest = releases.train()
    making = from_manifest(manifest.version, manifest.making)
    assert isinstance(making, SimulatedMaking)
    again = simulated_again(making, manifest, lambda _: None)
    assert again.version == manifest.version
    assert again.onnx == shelf.bundles[0].onnx


def test_the_bad_model_is_in_order_and_scores_the_other_way_round(tmp_path: Path) -> None:
    shelf, bank = Shelf(), Bank(PLAN)
    releases = Releases(cast("Any", shelf), tmp_path, PLAN, Provenance(1_700_000_000_000, "c0ffee"))
    releases.learn(bank.past(), bank.start_ms)
    releases.train()
    good, key = shelf.bundles[0], SigningKey.load(tmp_path / "signing-key.pem")
    bad, allowed = inverted(good, key), AllowedSigners.in_folder(tmp_path / "allowed-signers")
    rows = good.manifest.golden.values(len(DEFAULT))
    upright, upside_down = (LoadedModel.load(bundle, allowed).score(rows) for bundle in (good, bad))
    assert bad.version != good.version
    assert from_manifest(bad.version, bad.manifest.making) == InvertedMaking(of=good.version)
    assert inverted(good, SigningKey.generate()).version == bad.version
    np.testing.assert_allclose(upside_down, 1 - upright, atol=1e-6)
