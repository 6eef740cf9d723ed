"""Promotions by hand that need two persons, on a real Redis."""

import pytest

from models.audit.chain import check_chain
from models.proposal import APPROVALS_OFF, VALID_MS, ApprovalError
from models.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry, RegistryError
from models.signing import SigningKey
from stream_app.cli import run
from tests.unit.models.small_model import made_bundle


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        self.ms += 1
        return self.ms


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    key = SigningKey.load_or_create(folder / "key.pem")
    key.publish(folder / "allowed")
    return [made_bundle(key, created_at=number) for number in (1, 2, 3)], folder / "allowed"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def registry(stack, redis_prefix, clock):
    return Registry(stack.redis_url, redis_prefix, now=clock)


@pytest.fixture
def versions(registry, bundles):
    stored = [registry.put(bundle) for bundle in bundles[0]]
    registry.promote(stored[0], "ada", "first")
    registry.require_approvals("ada", "four eyes")
    return stored


def kinds(registry):
    return [record.kind for record in registry.audit()]


def test_one_person_alone_cannot_promote_and_two_can(registry, versions):
    with pytest.raises(ApprovalError, match=f"needs a second person: fraudstream models promote {versions[1]}"):
        registry.promote(versions[1], "ada", "better")
    proposal = registry.propose(versions[1], "ada", "better")
    assert registry.proposals() == [proposal]
    moved = registry.approve(versions[1], "bob", "I looked at it")
    assert (moved.version, moved.actor, moved.reason) == (versions[1], "ada", "better")
    assert registry.alias(PREVIOUS).version == versions[0]
    assert registry.proposals() == []
    assert kinds(registry)[-4:] == ["promotion-proposal", "promotion-approval", "alias-move", "alias-move"]
    approval, _, move = registry.audit()[-3:]
    assert (approval.actor, approval.reason) == ("bob", "I looked at it")
    assert approval.details == {"proposal": proposal.sequence, "proposed_by": "ada"}
    assert move.details["approved_by"] == "bob"
    check_chain(registry.audit())


@pytest.mark.parametrize("approver", ["ada", "Ada", " ADA "])
def test_the_same_person_is_not_a_second_one(registry, versions, approver):
    registry.propose(versions[1], "ada", "better")
    with pytest.raises(ApprovalError, match="another person has to approve it"):
        registry.approve(versions[1], approver)
    assert registry.alias(CHAMPION).version == versions[0]


def test_a_proposal_expires_after_a_day(registry, versions, clock):
    registry.propose(versions[1], "ada", "better")
    clock.ms += VALID_MS
    assert registry.proposals() == []
    with pytest.raises(ApprovalError, match="has expired; propose it again"):
        registry.approve(versions[1], "bob")
    registry.propose(versions[1], "ada", "still better")
    assert registry.approve(versions[1], "bob").reason == "still better"


def test_a_proposal_is_void_once_the_champion_has_moved(registry, versions):
    registry.propose(versions[1], "ada", "better")
    registry.promote(versions[2], "release", "passed", automatic=True)
    with pytest.raises(ApprovalError, match="the champion was moved since ada proposed"):
        registry.approve(versions[1], "bob")


def test_what_nobody_has_proposed_cannot_be_approved_and_an_approval_counts_once(registry, versions):
    with pytest.raises(ApprovalError, match="nobody has proposed"):
        registry.approve(versions[1], "bob")
    registry.propose(versions[1], "ada", "better")
    registry.approve(versions[1], "bob")
    with pytest.raises(ApprovalError, match="nobody has proposed"):
        registry.approve(versions[1], "bob")


@pytest.mark.parametrize("actor", ["bob", "ada"])
def test_a_proposal_that_is_rejected_or_withdrawn_is_gone_and_the_audit_says_by_whom(registry, versions, actor):
    proposal = registry.propose(versions[1], "ada", "better")
    registry.reject(versions[1], actor, "the figures are of another week")
    assert registry.proposals() == []
    last = registry.audit()[-1]
    assert (last.kind, last.actor, last.subject) == ("promotion-rejection", actor, versions[1])
    assert last.details == {"proposal": proposal.sequence, "proposed_by": "ada"}
    with pytest.raises(ApprovalError, match="nobody has proposed"):
        registry.approve(versions[1], "eve")
    with pytest.raises(ApprovalError, match="nobody has proposed"):
        registry.reject(versions[1], "eve", "again")


def test_the_release_loop_needs_no_second_person_and_no_person_goes_by_its_name(registry, versions):
    assert registry.promote(versions[1], "release", "passed", automatic=True).version == versions[1]
    for name in ("release", " Release", "retrain"):
        with pytest.raises(RegistryError, match="is the name of a process"):
            registry.promote(versions[2], name, "trust me")
        with pytest.raises(RegistryError, match="is the name of a process"):
            registry.rollback(name, "trust me")


def test_one_person_can_roll_back_but_not_undo_that(registry, versions):
    registry.promote(versions[1], "release", "passed", automatic=True)
    assert registry.rollback("ada", "too many alerts").version == versions[0]
    with pytest.raises(ApprovalError, match="taking a roll-back back by hand needs a second person"):
        registry.rollback("ada", "it was the data")
    registry.propose(versions[1], "ada", "it was the data")
    assert registry.approve(versions[1], "bob").version == versions[1]


def test_no_other_alias_is_a_way_round(registry, versions):
    for alias in (CHAMPION, PREVIOUS):
        with pytest.raises(ApprovalError, match=f"pointing {alias} at {versions[2]} by hand needs a second person"):
            registry.move(alias, versions[2], "ada", "a trick")
    assert registry.move(CHALLENGER, versions[2], "ada", "try").version == versions[2]


def test_switching_it_on_takes_one_person_and_off_two(registry, versions):
    registry.propose(versions[1], "ada", "better")
    registry.propose(APPROVALS_OFF, "ada", "it is a test bank")
    with pytest.raises(ApprovalError, match="another person"):
        registry.approve(APPROVALS_OFF, "ada")
    assert registry.approvals_required()
    assert registry.approve(APPROVALS_OFF, "bob") is None
    assert not registry.approvals_required()
    assert registry.proposals() == []
    assert registry.promote(versions[1], "ada", "alone again").version == versions[1]
    with pytest.raises(ApprovalError, match="needs no second person: approvals are off"):
        registry.propose(versions[2], "ada", "better")
    switches = [(each.actor, each.subject) for each in registry.audit() if each.kind == "approvals"]
    assert switches == [("ada", "on"), ("ada", "off")]


def test_commands_propose_show_and_approve(registry, versions, bundles, stack, redis_prefix, monkeypatch, capsys):
    clock_free = Registry(stack.redis_url, redis_prefix)
    monkeypatch.setenv("FRAUDSTREAM_REDIS", stack.redis_url)
    monkeypatch.setenv("FRAUDSTREAM_REDIS_PREFIX", redis_prefix)
    monkeypatch.setenv("FRAUDSTREAM_ALLOWED_SIGNERS", str(bundles[1]))
    assert run(["models", "promote", versions[1], "--actor", "ada", "--reason", "better"]) == 0
    assert f"fraudstream models approve {versions[1]}" in capsys.readouterr().out
    champion = clock_free.alias(CHAMPION)
    assert champion is not None
    assert champion.version == versions[0]
    assert run(["models", "approvals"]) == 0
    shown = capsys.readouterr().out
    assert "promotions by hand need two persons" in shown
    assert f"{versions[1]}: ada at" in shown
    assert run(["models", "approve", versions[1], "--actor", "ada"]) == 2
    assert "another person has to approve it" in capsys.readouterr().err
    assert run(["models", "approve", versions[1], "--actor", "bob"]) == 0
    assert f"champion is now {versions[1]}" in capsys.readouterr().out
    assert run(["models", "approvals", "--require", "off", "--actor", "ada", "--reason", "enough"]) == 0
    assert "fraudstream models approve approvals-off" in capsys.readouterr().out
    assert run(["models", "approve", "approvals-off", "--actor", "bob"]) == 0
    assert not clock_free.approvals_required()
    assert run(["models", "approvals", "--require", "on", "--actor", "ada", "--reason", "again"]) == 0
    assert run(["models", "promote", versions[2], "--actor", "ada", "--reason", "newer"]) == 0
    assert run(["models", "reject", versions[2], "--actor", "bob", "--reason", "not on these rows"]) == 0
    assert f"{versions[2]} is no longer proposed (bob: not on these rows)" in capsys.readouterr().out
    assert clock_free.proposals() == []
    assert run(["models", "approvals", "--require", "on", "--actor", "ada"]) == 2
    assert "--require needs a --reason" in capsys.readouterr().err
