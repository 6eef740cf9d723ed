"""Models beside the champion on a real broker: placed, promoted under load, failing, and proved again after a crash."""

import itertools
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np
import redis

from models.bundle import Bundle
from models.features.feature_set import DEFAULT
from models.release.placement import Placement
from models.schema.feature_batch import FeatureBatchHeader, decode_feature_batch
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.chaos.tiny_models import BREAKS_ABOVE
from stream_app.worker_status import WorkerStatus, read_workers
from tests.support import sabotage
from tests.support.payments import payments
from tests.support.scored_output import Place
from tests.support.scoring_world import ScoringWorld
from tests.support.worker_process import wait_until

SHARE = 0.3
AMOUNT = DEFAULT.index("amount")


class Logged(NamedTuple):
    """One row of the feature log, as far as a release looks at it."""

    role: str
    model_version: str
    recomputed: bool
    values: np.ndarray
    shadow: dict[str, float | None] | None
    took_us: dict[str, float]


def logged(world: ScoringWorld) -> dict[Place, Logged]:
    """The feature log's last row of each transaction."""
    world.output.features.read_to_end()
    rows: dict[Place, Logged] = {}
    for partition, records in world.output.features.records.items():
        for record in records:
            header = FeatureBatchHeader.decode(cast("Any", record.headers() or ()))
            batch = decode_feature_batch(record.value() or b"")
            columns = zip(
                batch.numpy("source_offset").tolist(), batch.strings("role"), batch.strings("model_version"),
                batch.numpy("recomputed").tolist(), batch.values, batch.table.column("shadow_scores").to_pylist(),
                strict=True,
            )  # fmt: skip
            for offset, role, version, recomputed, values, entries in columns:
                shadow = None if entries is None else {each["model_version"]: each["score"] for each in entries}
                rows[partition, header.epoch, offset] = Logged(
                    role, version, recomputed, values, shadow, dict(header.model_us)
                )
    return rows


def place(world: ScoringWorld, *shadow: Bundle, canary: Bundle | None = None) -> Placement:
    """Store models and place them, a canary for some of the cards."""
    versions = [world.registry.put(bundle) for bundle in shadow]
    placement = Placement(
        sequence=world.registry.placement().sequence + 1,
        shadow=tuple(versions),
        canary=None if canary is None else world.registry.put(canary),
        canary_share=0.0 if canary is None else SHARE,
        salt="release-1",
    )
    world.registry.place(placement, "release", "a test")
    return placement


def wait_for_placement(world: ScoringWorld, placement: Placement) -> WorkerStatus:
    """Wait until the worker says that it has applied a placement."""
    with redis.Redis.from_url(world.redis_url) as client:

        def look() -> WorkerStatus | None:
            found = read_workers(client, world.redis_prefix)
            return next((one for one in found if one.placement_sequence >= placement.sequence), None)

        found = wait_until(look, f"placement {placement.sequence}")
    assert found is not None
    return found


@contextmanager
def flow(world: ScoringWorld) -> Iterator[None]:
    """Payments come all the time, twenty at once."""
    ended = threading.Event()

    def run() -> None:
        everything = payments(40_000, part=1)
        for at in range(0, len(everything), 20):
            if ended.wait(0.02):
                return
            world.send(everything[at : at + 20])

    sending = threading.Thread(target=run)
    sending.start()
    try:
        yield
    finally:
        ended.set()
        sending.join()


def test_shadow_and_canary_score_beside_the_champion_and_a_promotion_is_taken_under_load(world: ScoringWorld) -> None:
    models = world.models
    first, shadow, canary = models.first.version, models.second.version, models.declining.version
    placement = place(world, models.second, canary=models.declining)
    world.start("--control-share", "0")
    assert wait_for_placement(world, placement).models == [first, shadow, canary]

    world.send(payments(800))
    kept = world.wait_for_all()
    on_canary = placement.on_canary([score.card_id for score in kept.values()])
    assert abs(on_canary.mean() - SHARE) < 0.1
    assert [score.role for score in kept.values()] == np.where(on_canary, "canary", "champion").tolist()
    assert [score.model_version for score in kept.values()] == np.where(on_canary, canary, first).tolist()
    assert {score.decision for score in kept.values() if score.role == "canary"} >= {"approve", "decline"}
    rows = logged(world)
    assert all((rows[at].role, rows[at].model_version) == (s.role, s.model_version) for at, s in kept.items())
    assert all(set(row.took_us) == {first, shadow, canary} for row in rows.values())
    assert all(us > 0 for row in rows.values() for us in row.took_us.values())
    signers = AllowedSigners.in_folder(models.signers)
    values = np.stack([rows[at].values for at in kept])
    for bundle in (models.first, models.second, models.declining):
        expected = LoadedModel.load(bundle, signers).score(values)
        said = [
            score.score if score.model_version == bundle.version else (rows[at].shadow or {})[bundle.version]
            for at, score in kept.items()
        ]
        np.testing.assert_array_equal(np.array(said, np.float32), expected)
    before = len(kept)

    with flow(world):
        world.wait_for_scores(before + 200)
        world.registry.promote(canary, "tester", "guardrails held")
        placement = place(world, models.first)
        assert wait_for_placement(world, placement).models == [canary, first]
        world.wait_for_scores(len(world.output.kept()) + 200)
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert not any(score.degraded for score in kept.values())
    rows = logged(world)
    for partition in range(world.partitions):
        roles = [(s.model_version, s.role) for at, s in kept.items() if at[0] == partition]
        champions = [version for version, _ in itertools.groupby(v for v, role in roles if role == "champion")]
        assert champions == [first, canary]
        last = roles.index((canary, "champion"))
        assert {role for _, role in roles[last:]} == {"champion"}
    assert set(rows[next(reversed(kept))].shadow or ()) == {first}


def test_a_model_that_gives_no_numbers_leaves_payments_alone_in_shadow_and_is_stood_in_for_as_champion(
    world: ScoringWorld,
) -> None:
    models, options = world.models, ("--control-share", "0", "--batch", "400")
    first, breaking = models.first.version, models.breaking.version
    worker = world.start(*options)
    wait_for_placement(world, place(world, models.breaking))
    world.send(payments(400))
    kept = world.wait_for_all()
    assert {(score.model_version, score.degraded) for score in kept.values()} == {(first, False)}
    rows = logged(world)
    failed = {at for at, row in rows.items() if math.isnan(row.took_us[breaking])}
    assert failed
    assert failed == {at for at, row in rows.items() if (row.shadow or {})[breaking] is None}
    worker.wait_for(f"model {breaking} (shadow) failed")

    with flow(world):
        world.registry.promote(breaking, "tester", "by hand")
        wait_for_placement(world, place(world, models.first))
        world.wait_for_scores(len(world.output.kept()) + 400)
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert worker.running
    rows = logged(world)
    stood_in = {at for at, score in kept.items() if score.degraded}
    assert stood_in
    for at in stood_in:
        assert (kept[at].model_version, rows[at].model_version, rows[at].shadow) == (first, first, {breaking: None})
    by_champion = {at for at, score in kept.items() if score.model_version == breaking}
    assert all(rows[at].shadow is not None for at in by_champion)
    assert all(score.score <= 1.0 for score in kept.values())
    large = {at for at, row in rows.items() if row.values[AMOUNT] > BREAKS_ABOVE}
    assert not large & by_champion
    worker.wait_for(f"model {breaking} (champion) failed")


def test_rows_of_a_canary_are_computed_again_after_a_crash_by_the_model_that_decided_them(world: ScoringWorld) -> None:
    place(world, world.models.second, canary=world.models.declining)
    options = ("--control-share", "0", "--batch", "100")
    world.send(payments(600))
    assert world.start(*options, sabotage=sabotage.dies_between_scores_and_feature_rows).ended() < 0
    world.start(*options)
    kept = world.wait_for_all()
    world.check_nothing_lost()
    again = {at: row for at, row in logged(world).items() if row.recomputed}
    assert {row.role for row in again.values()} == {"champion", "canary"}
    for at, row in again.items():
        assert (row.role, row.model_version) == (kept[at].role, kept[at].model_version)
        assert row.shadow is None
