"""Which models a worker serves, as a registry without Redis says it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from models.alias import Alias
from models.bundle import Bundle
from models.model_cache import LocalModelCache
from models.registry import CHAMPION, RegistryError
from models.release.placement import Placement
from models.signing import AllowedSigners, SigningKey
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.lineup_follower import LineupFollower
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.settings import ScoringSettings
from tests.unit.models.small_model import made_bundle


@dataclass
class FakeRegistry:
    """Aliases, a placement and bundles in dictionaries; counts what is fetched."""

    bundles: dict[str, Bundle]
    pointing: dict[str, Alias] = field(default_factory=dict)
    placed: Placement = field(default_factory=Placement)
    fetched: list[str] = field(default_factory=list)
    silent: bool = False
    silent_for: set[str] = field(default_factory=set)
    channel: str = "moves"

    def aliases(self) -> dict[str, Alias]:
        self._answer()
        return dict(self.pointing)

    def placement(self) -> Placement:
        self._answer()
        return self.placed

    def get(self, version: str) -> Bundle:
        self._answer()
        if version in self.silent_for:
            raise RegistryError("no Redis")
        self.fetched.append(version)
        return self.bundles[version]

    def move(self, **versions: str) -> None:
        for name, version in versions.items():
            sequence = max([alias.sequence for alias in self.pointing.values()], default=0) + 1
            self.pointing[name] = Alias(name, version, sequence, "ada", "test", 5)

    def promote(self, version: str) -> None:
        if CHAMPION in self.pointing:
            self.move(previous=self.pointing[CHAMPION].version)
        self.move(champion=version)

    def place(self, *shadow: str, **others: Any) -> None:
        self.placed = Placement(sequence=self.placed.sequence + 1, shadow=shadow, **others)

    def _answer(self) -> None:
        if self.silent:
            raise RegistryError("no Redis")


@dataclass
class Story:
    """A follower, its registry and five small models: a, b, c, one of a stranger and one that is cut off."""

    follower: LineupFollower
    registry: FakeRegistry
    metrics: ScoringMetrics
    names: dict[str, str]
    swaps: list[int]

    def look(self) -> Lineup:
        asyncio.run(self.follower.look())
        assert self.follower.lineup is not None
        return self.follower.lineup

    def loads(self, version: str) -> int:
        """How often a bundle was fetched to be loaded; a champion's is fetched once more for the local copy."""
        kept = sum(alias.version == version for alias in self.registry.pointing.values())
        return self.registry.fetched.count(version) - min(kept, 1)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "own.pem")


@pytest.fixture(scope="module")
def bundles(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    stranger = SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "strange.pem")
    made = {name: made_bundle(key, "logistic_regression", created_at=at) for at, name in enumerate("abc", start=1)}
    cut = made_bundle(key, "logistic_regression", created_at=5)
    return {
        **made,
        "strange": made_bundle(stranger, "logistic_regression", created_at=4),
        "cut": Bundle(cut.manifest_bytes, cut.onnx[:-10], cut.signature, cut.signer),
    }


@pytest.fixture
def story(bundles: dict[str, Bundle], key: SigningKey, tmp_path: Path) -> Story:
    registry = FakeRegistry({bundle.version: bundle for bundle in bundles.values()})
    settings = ScoringSettings("broker", "redis://nowhere", tmp_path, "checkpoints", tmp_path, model_poll_s=0.01)
    metrics, swaps = ScoringMetrics(), list[int]()

    async def swapped() -> None:
        swaps.append(1)

    fake: Any = registry
    allowed = AllowedSigners.of([key.public_key])
    follower = LineupFollower(settings, fake, LocalModelCache(tmp_path / "copy"), allowed, metrics, swapped)
    return Story(follower, registry, metrics, {name: bundle.version for name, bundle in bundles.items()}, swaps)


def restarted(story: Story, allowed: AllowedSigners | None = None) -> LineupFollower:
    """The follower of a worker that is started again on the same machine."""
    before = story.follower
    return LineupFollower(
        before._settings, before._registry, before._cache, allowed or before._signers, ScoringMetrics(), before._swapped
    )


def beside(lineup: Lineup) -> list[str]:
    return list(lineup.beside)


def test_a_placement_is_loaded_beside_the_champion_and_dropped_when_it_is_no_longer_placed(story: Story) -> None:
    a, b, c = (story.names[name] for name in "abc")
    story.registry.promote(a)
    assert (story.look().champion.version, beside(story.look())) == (a, [])
    story.registry.place(b, canary=c, canary_share=0.1)
    placed = story.look()
    assert (placed.versions, placed.placement.sequence) == ([a, b, c], 1)
    assert placed.canary is placed.beside[c]
    assert (placed.part_of(b), placed.part_of(c)) == ("shadow", "canary")
    story.registry.place()
    assert story.look().versions == [a]
    assert story.follower.models.get(b) is None
    assert len(story.swaps) == 3


def test_a_look_that_finds_nothing_new_swaps_nothing(story: Story) -> None:
    story.registry.promote(story.names["a"])
    story.registry.place(story.names["b"])
    assert story.look() is story.look()
    assert len(story.swaps) == 1


@pytest.mark.parametrize("placed_first", [True, False])
def test_a_challenger_that_becomes_champion_and_the_one_before_are_not_loaded_again(
    story: Story, *, placed_first: bool
) -> None:
    a, b = story.names["a"], story.names["b"]
    story.registry.promote(a)
    story.registry.move(challenger=b)
    story.registry.place(canary=b, canary_share=0.1)
    before = story.look()
    steps = [lambda: story.registry.promote(b), lambda: story.registry.place(a)]
    lineups = []
    for step in reversed(steps) if placed_first else steps:
        step()
        lineups.append(story.look())
    between, after = lineups
    assert (after.champion, after.beside) == (before.beside[b], {a: before.champion})
    assert [story.loads(version) for version in (a, b)] == [1, 1]
    if not placed_first:
        assert (between.champion, between.reserve) == (before.beside[b], before.champion)


def test_a_promotion_with_its_placement_is_taken_as_a_whole(story: Story) -> None:
    a, b = story.names["a"], story.names["b"]
    story.registry.promote(a)
    story.registry.place(b)
    story.look()
    story.registry.promote(b)
    story.registry.place(a)
    assert story.look().versions == [b, a]
    assert len(story.swaps) == 2


def test_the_champion_before_is_kept_in_reserve_until_it_is_placed(story: Story) -> None:
    a, b = story.names["a"], story.names["b"]
    story.registry.promote(a)
    before = story.look().champion
    story.registry.promote(b)
    lineup = story.look()
    assert (lineup.reserve, lineup.versions, lineup.part_of(a)) == (before, [b], "reserve")
    assert lineup.understudies == (before,)
    story.registry.place(a)
    assert (story.look().reserve, story.look().understudies) == (None, (before,))


def test_the_champion_before_stands_in_ahead_of_other_shadows(story: Story) -> None:
    a, b, c = (story.names[name] for name in "abc")
    story.registry.promote(a)
    story.registry.promote(b)
    story.registry.place(c, a)
    assert [model.version for model in story.look().understudies] == [a, c]


@pytest.mark.parametrize("name", ["strange", "cut"])
def test_a_placed_model_that_is_refused_is_said_once_remembered_and_not_scored(
    story: Story, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    a, b, refused = (story.names[each] for each in ("a", "b", name))
    story.registry.promote(a)
    story.registry.place(refused, b)
    assert (story.look().versions, story.look().placement.sequence) == ([a, b], 1)
    story.registry.place(b, canary=refused, canary_share=0.5)
    assert (story.look().canary, story.look().versions) == (None, [a, b])
    assert list(story.follower.models.refused) == [refused]
    assert story.registry.fetched.count(refused) == 1
    assert sum("refused" in record.getMessage() for record in caplog.records) == 1
    assert story.metrics.registry.get_sample_value("fraudstream_models_refused_total") == 1


def test_a_refused_model_that_is_promoted_leaves_the_champion_and_the_placement_is_followed(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    a, b, refused = (story.names[name] for name in ("a", "b", "strange"))
    story.registry.promote(a)
    story.registry.place(refused)
    story.look()
    story.registry.promote(refused)
    story.registry.place(a, b)
    assert story.look().versions == [a, b]
    said = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert [f"{a} stays" in line for line in said] == [False, True]
    story.look()
    assert len([record for record in caplog.records if "refused" in record.getMessage()]) == 2


def test_the_champion_itself_in_the_placement_scores_once(story: Story) -> None:
    a = story.names["a"]
    story.registry.promote(a)
    story.registry.place(a, canary=a, canary_share=0.5)
    lineup = story.look()
    assert (lineup.versions, lineup.canary) == ([a], None)


def test_a_canary_without_a_share_is_a_shadow(story: Story) -> None:
    a, b = story.names["a"], story.names["b"]
    story.registry.promote(a)
    story.registry.place(canary=b)
    lineup = story.look()
    assert (lineup.canary, lineup.part_of(b)) == (None, "shadow")


def test_an_older_placement_is_not_taken(story: Story) -> None:
    a, b, c = (story.names[name] for name in "abc")
    story.registry.promote(a)
    story.registry.placed = Placement(sequence=5, shadow=(b,))
    story.look()
    story.registry.placed = Placement(sequence=4, shadow=(c,))
    assert (story.look().versions, story.look().placement.sequence) == ([a, b], 5)


@contextmanager
def unanswered() -> Iterator[None]:
    with pytest.raises(RegistryError, match="no Redis"):
        yield


def test_a_placement_that_cannot_be_fetched_yet_is_taken_later_and_a_promotion_does_not_wait_for_it(
    story: Story,
) -> None:
    a, b, c = (story.names[name] for name in "abc")
    story.registry.promote(a)
    story.registry.place(b)
    story.look()
    story.registry.silent_for = {c}
    story.registry.place(b, c)
    with unanswered():
        story.look()
    assert (story.follower.lineup and story.follower.lineup.placement.sequence) == 1
    story.registry.promote(b)
    with unanswered():
        story.look()
    assert (story.follower.lineup and story.follower.lineup.champion.version) == b
    story.registry.silent_for = set()
    lineup = story.look()
    assert (lineup.versions, lineup.placement.sequence) == ([b, c], 2)


def test_a_start_does_not_wait_for_a_placed_model_that_cannot_be_fetched(story: Story) -> None:
    a, b = story.names["a"], story.names["b"]
    story.registry.promote(a)
    story.registry.place(b)
    story.registry.silent_for = {b}
    assert asyncio.run(story.follower.first()).version == a
    story.registry.silent_for = set()
    assert story.look().versions == [a, b]


def test_a_start_from_the_local_copy_serves_the_champion_alone_until_the_registry_answers(story: Story) -> None:
    a, b = story.names["a"], story.names["b"]
    story.registry.promote(a)
    story.registry.place(b)
    story.look()
    again = LineupFollower(
        story.follower._settings, story.follower._registry, story.follower._cache, story.follower._signers,
        story.metrics, story.follower._swapped,
    )  # fmt: skip
    story.registry.silent = True
    assert asyncio.run(again.first()).version == a
    assert again.stale
    story.registry.silent = False
    asyncio.run(again.look())
    assert again.lineup is not None
    assert (again.lineup.versions, again.stale) == ([a, b], False)


def test_a_start_on_a_registry_that_was_lost_serves_the_last_good_model_degraded(story: Story) -> None:
    a = story.names["a"]
    story.registry.promote(a)
    story.look()
    story.registry.pointing.clear()
    started = restarted(story)
    assert asyncio.run(asyncio.wait_for(started.first(), 10)).version == a
    assert started.stale


def test_a_lost_registry_and_a_copy_that_no_longer_counts_are_said_once(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    story.registry.promote(story.names["a"])
    story.look()
    story.registry.pointing.clear()
    started = restarted(story, AllowedSigners({}))
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(started.first(), 6 * started._settings.model_poll_s / 4))
    assert caplog.text.count("no model can be served") == 1


@pytest.mark.parametrize("bad", ["strange", "cut"])
def test_a_start_on_a_refused_champion_serves_the_last_good_model_degraded_until_another_is_promoted(
    story: Story, bad: str
) -> None:
    a, b, refused = story.names["a"], story.names["b"], story.names[bad]
    story.registry.promote(a)
    story.look()
    story.registry.promote(refused)
    started = restarted(story)
    model = asyncio.run(asyncio.wait_for(started.first(), 10))
    assert (model.version, started.stale) == (a, True)
    asyncio.run(started.look())
    assert started.lineup is not None
    assert (started.lineup.champion.version, started.stale) == (a, True)
    story.registry.promote(b)
    asyncio.run(started.look())
    assert (started.lineup.champion.version, started.stale) == (b, False)


def test_once_a_key_is_no_longer_allowed_a_start_serves_none_of_its_models(
    story: Story, bundles: dict[str, Bundle]
) -> None:
    story.registry.promote(story.names["a"])
    story.look()
    stranger = AllowedSigners.of([SigningKey.generate().public_key])
    started = restarted(story, stranger)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(started.first(), 0.5))
    assert started.lineup is None
    assert f"signed by {bundles['a'].signer}; allowed signers are" in started.models.refused[story.names["a"]]


def test_a_model_of_a_new_key_is_served_beside_those_of_the_old_one_and_refused_where_it_is_not_allowed_yet(
    story: Story, key: SigningKey
) -> None:
    a, new_key = story.names["a"], SigningKey.generate()
    rotated = made_bundle(new_key, "logistic_regression", created_at=9)
    story.registry.bundles[rotated.version] = rotated
    story.registry.promote(a)
    both = restarted(story, AllowedSigners.of([key.public_key, new_key.public_key]))
    for follower in (story.follower, both):
        asyncio.run(follower.look())
    story.registry.promote(rotated.version)
    assert story.look().champion.version == a
    assert (
        f"signed by {new_key.signer}; allowed signers are {key.signer}"
        in story.follower.models.refused[rotated.version]
    )
    asyncio.run(both.look())
    assert both.lineup is not None
    assert both.lineup.champion.version == rotated.version
    only_new = restarted(story, AllowedSigners.of([new_key.public_key]))
    asyncio.run(only_new.look())
    story.registry.promote(a)
    asyncio.run(only_new.look())
    assert only_new.lineup is not None
    assert only_new.lineup.champion.version == rotated.version


def test_a_version_that_was_scored_with_is_found_in_memory_or_fetched_or_missed(story: Story) -> None:
    a, b, refused = (story.names[name] for name in ("a", "b", "strange"))
    story.registry.promote(a)
    story.look()
    find = story.follower.models.find
    fetched = len(story.registry.fetched)
    assert asyncio.run(find(a)) is story.follower.models.get(a)
    assert len(story.registry.fetched) == fetched
    found = asyncio.run(find(b))
    assert found is not None
    assert found.version == b
    assert story.follower.models.get(b) is None
    assert asyncio.run(find(refused)) is None
