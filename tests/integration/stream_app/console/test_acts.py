"""What an approver does to the models, on a real Redis."""

import pytest

from models.bundle import BundleError
from models.proposal import APPROVALS_OFF
from models.registry import CHAMPION, Registry, RegistryError
from models.signing import AllowedSigners, SigningKey
from stream_app.console.audit.chain import AuditReading
from stream_app.console.models.acts import LONGEST_REASON, ActError, Acts
from stream_app.console.models.outcome import outcome
from stream_app.console.models.reading import ModelsReading, UnknownVersionError
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.retrain_store import RetrainStore
from tests.unit.models.small_model import made_bundle


@pytest.fixture(scope="module")
def key():
    return SigningKey.generate()


@pytest.fixture
def registry(stack, redis_prefix):
    return Registry(stack.redis_url, redis_prefix)


@pytest.fixture
def versions(registry, key):
    stored = [registry.put(made_bundle(key, created_at=number)) for number in (1, 2)]
    registry.promote(stored[0], "ada", "first")
    return stored


@pytest.fixture
def releases(stack, redis_prefix):
    store = ReleaseStore(stack.redis_url, redis_prefix)
    yield store
    store.close()


@pytest.fixture
def acts(registry, releases, key):
    return Acts(registry, releases, lambda: AllowedSigners.of([key.public_key]))


def champion(registry):
    alias = registry.alias(CHAMPION)
    assert alias is not None
    return alias


def test_where_one_person_is_enough_a_promotion_is_carried_out_and_told(acts, registry, versions):
    done = acts.promote(versions[1], "bob", "better", champion(registry).sequence)
    assert (champion(registry).version, champion(registry).actor) == (versions[1], "bob")
    record = registry.audit()[done - 1]
    assert outcome(record, "bob") == f"Champion is now {versions[1]} (record {done}, bob: better)."


def test_an_act_on_what_the_page_no_longer_shows_is_refused(acts, registry, versions):
    seen = champion(registry).sequence
    registry.promote(versions[1], "release", "passed", automatic=True)
    with pytest.raises(RegistryError, match="somebody moved it"):
        acts.roll_back("bob", "too many alerts", seen)
    registry.require_approvals("ada", "four eyes")
    with pytest.raises(ActError, match="has moved since this page was shown"):
        acts.promote(versions[0], "bob", "better", seen)


@pytest.mark.parametrize(("reason", "why"), [(" ", "say why"), ("x" * (LONGEST_REASON + 1), "are enough")])
def test_an_act_needs_a_reason_that_somebody_will_read(acts, registry, versions, reason, why):
    with pytest.raises(ActError, match=why):
        acts.promote(versions[1], "bob", reason, champion(registry).sequence)


def test_a_model_that_no_allowed_signer_signed_is_not_promoted(acts, registry, versions):
    strange = registry.put(made_bundle(SigningKey.generate(), created_at=9))
    with pytest.raises(BundleError, match="allowed signers are"):
        acts.promote(strange, "bob", "trust me", champion(registry).sequence)
    assert champion(registry).version == versions[0]


def test_the_rule_of_two_is_switched_on_by_one_and_off_by_two(acts, registry, versions):
    switched_on = acts.require_two("ada", "four eyes")
    assert outcome(registry.audit()[switched_on - 1], "ada") == "Promotions by hand need two persons from now on."
    acts.propose_one("ada", "it is a test bank")
    switched_off = acts.approve(APPROVALS_OFF, "bob", "so it is")
    assert outcome(registry.audit()[switched_off - 1], "ada") == "Promotions by hand need one person from now on."
    assert not registry.approvals_required()


def test_the_page_reads_what_the_acts_have_written(acts, registry, versions, stack, redis_prefix, releases):
    retrains = RetrainStore(stack.redis_url, redis_prefix)
    audit = AuditReading(registry.log.lines)
    reading = ModelsReading(registry, releases, retrains, audit, list, lambda: 1_700_000_000_000)
    acts.promote(versions[1], "bob", "better", champion(registry).sequence)
    overview = reading.overview()
    assert [reign.version for reign in overview.reigns] == [versions[1], versions[0]]
    assert [(row.version, row.aliases) for row in overview.versions] == [
        (versions[1], ("champion",)),
        (versions[0], ("previous",)),
    ]
    assert overview.seen == champion(registry).sequence
    assert [step.what for step in reading.history(versions[0]).steps] == [
        "Made champion",
        f"Replaced by {versions[1]}",
    ]
    assert reading.named("previous") == versions[0]
    with pytest.raises(UnknownVersionError, match="there is no model 'm-none'"):
        reading.manifest("m-none")
    retrains.close()
