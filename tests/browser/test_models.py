"""The models page: who is champion and why, and what two persons, or one at night, may do about it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
from playwright.sync_api import Page, expect

from models.manifest import Figures, Lineage
from models.registry import CHAMPION
from models.release.actions import Announce
from models.release.state import ReleaseState
from models.schema.drift_event import DriftEvent
from models.schema.model_event import Check
from models.signing import SigningKey
from stream_app.console.people.role import Role
from stream_app.retrain.release.announcer import entry_of
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.request_entry import request_entry
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.verdict_events import verdict_event
from stream_app.watch.history.announcement import of_drift, of_request
from tests.browser.conftest import PHONE
from tests.support.console_world import ConsoleWorld
from tests.unit.models.small_model import made_bundle
from tests.unit.stream_app.console.models.audit_of_a_release import GATE, REQUEST, told_drift

SignIn = Callable[..., Page]
LIVE_MS = 1_500


def figures(average_precision: float) -> Figures:
    return Figures("a fit on four weeks", 0, 1_000, 4_000, 40, {"average_precision": average_precision, "auc": 0.9})


@dataclass
class Models:
    """Three signed versions, and one that a stranger has signed."""

    first: str
    second: str
    third: str
    strange: str


@pytest.fixture(scope="module")
def versions(console: ConsoleWorld) -> Models:
    key = SigningKey.load_or_create(console.folder / "signing-key.pem")
    key.publish(console.folder / "allowed-signers")
    first, second, third = (
        console.registry.put(made_bundle(key, created_at=number, metrics={"hold_out": figures(number / 10)}))
        for number in (1, 2, 3)
    )
    strange = console.registry.put(made_bundle(SigningKey.generate(), created_at=4))
    console.registry.promote(first, "ada", "the first one")
    console.registry.require_approvals("ada", "four eyes")
    return Models(first, second, third, strange)


@pytest.fixture(autouse=True)
def first_is_champion(console: ConsoleWorld, versions: Models) -> None:
    """Every test begins with the first version as champion and nothing proposed."""
    for proposal in console.registry.proposals():
        console.registry.reject(proposal.subject, "ada", "a new test begins")
    champion = console.registry.alias(CHAMPION)
    assert champion is not None
    if champion.version != versions.first:
        console.registry.promote(versions.first, "release", "a new test begins", automatic=True)


def champion(console: ConsoleWorld) -> str:
    found = console.registry.alias(CHAMPION)
    assert found is not None
    return found.version


def propose(page: Page, version: str, reason: str) -> None:
    page.goto(f"/models/{version}")
    page.get_by_label("Reason, for the audit").fill(reason)
    page.get_by_role("button", name=f"Propose to promote {version}").click()


def test_two_persons_promote_and_the_audit_names_both(sign_in: SignIn, console: ConsoleWorld, versions: Models) -> None:
    proposer = sign_in(Role.APPROVER, "/models")
    propose(proposer, versions.second, "better on the week")
    expect(proposer.locator("#said")).to_contain_text(f"{versions.second} is proposed")
    assert champion(console) == versions.first
    second = sign_in(Role.ADMIN, "/models")
    card = second.locator("#waiting .act")
    expect(card).to_contain_text("better on the week")
    card.get_by_label("Reason, for the audit").fill("I looked at it")
    card.get_by_role("button", name="Approve").click()
    expect(second.locator("#said")).to_contain_text(f"Champion is now {versions.second}")
    expect(second.locator("#champion")).to_contain_text(versions.second)
    # The proposer's page follows without a reload.
    expect(proposer.locator("#champion")).to_contain_text(f"{versions.second} is champion", timeout=LIVE_MS)
    expect(proposer.locator("#waiting .act")).to_have_count(0)
    approval, _, move = console.registry.audit()[-3:]
    assert (approval.kind, approval.actor, approval.reason) == ("promotion-approval", "admin", "I looked at it")
    assert (move.actor, move.details["approved_by"]) == ("approver", "admin")


def test_the_same_person_is_refused_and_nothing_typed_is_lost(
    sign_in: SignIn, console: ConsoleWorld, versions: Models
) -> None:
    page = sign_in(Role.APPROVER, "/models")
    propose(page, versions.second, "better on the week")
    card = page.locator("#waiting .act")
    card.get_by_label("Reason, for the audit").fill("I am sure of it")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator("#refused")).to_contain_text("was proposed by approver: another person has to approve it")
    expect(card.get_by_label("Reason, for the audit")).to_have_value("I am sure of it")
    assert champion(console) == versions.first
    card.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#said")).to_contain_text("is off the table")
    assert console.registry.proposals() == []


def test_another_approver_rejects(sign_in: SignIn, console: ConsoleWorld, versions: Models) -> None:
    console.registry.propose(versions.third, "ada", "newer")
    page = sign_in(Role.APPROVER, "/models")
    card = page.locator("#waiting .act")
    card.get_by_label("Reason, for the audit").fill("not on these rows")
    card.get_by_role("button", name="Reject").click()
    expect(page.locator("#said")).to_contain_text("is off the table")
    last = console.registry.audit()[-1]
    assert (last.kind, last.actor, last.reason) == ("promotion-rejection", "approver", "not on these rows")


def test_one_person_rolls_back_at_once(sign_in: SignIn, console: ConsoleWorld, versions: Models) -> None:
    console.registry.promote(versions.second, "release", "passed", automatic=True)
    page = sign_in(Role.APPROVER, "/models")
    act = page.locator("#roll-back")
    act.get_by_label("Reason, for the audit").fill("too many alerts")
    act.get_by_role("button", name=f"Roll back to {versions.first}").click()
    expect(page.locator("#said")).to_contain_text(f"Champion is now {versions.first}")
    assert champion(console) == versions.first
    move = console.registry.audit()[-1]
    assert (move.details["action"], move.actor, move.reason) == ("rollback", "approver", "too many alerts")
    expect(page.locator("#timeline .swap.rollback")).to_have_count(1)


def test_a_swap_from_elsewhere_appears_and_an_act_on_the_old_state_is_refused(
    sign_in: SignIn, console: ConsoleWorld, versions: Models
) -> None:
    console.registry.promote(versions.second, "release", "passed", automatic=True)
    page = sign_in(Role.APPROVER, "/models")
    reason = page.locator("#roll-back").get_by_label("Reason, for the audit")
    reason.fill("I do not like it")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    console.registry.promote(versions.third, "release", "passed as well", automatic=True)
    expect(page.locator("#champion")).to_contain_text(f"{versions.third} is champion", timeout=LIVE_MS)
    expect(page.locator("#timeline")).to_contain_text(versions.third)
    expect(page.locator("#roll-back .stale")).to_be_visible()
    expect(reason).to_have_value("I do not like it")
    page.locator("#roll-back").get_by_role("button").click()
    expect(page.locator("#refused")).to_contain_text("somebody moved it; look again and repeat")
    expect(reason).to_have_value("I do not like it")
    assert champion(console) == versions.third


def test_a_card_says_what_a_version_is_and_how_it_came_to_be(
    sign_in: SignIn, console: ConsoleWorld, versions: Models
) -> None:
    page = sign_in(Role.VIEWER, f"/models/{versions.first}")
    expect(page.locator("#verification")).to_contain_text("verified", timeout=10_000)
    expect(page.locator("#verification")).to_contain_text("golden vectors score as they did")
    expect(page.locator("main")).to_contain_text("review from 0.5000, decline from 0.9000")
    expect(page.locator("#lineage li").first).to_contain_text("Made champion")
    expect(page.locator("#lineage li").first).to_contain_text("the first one")


def test_a_bundle_of_a_stranger_is_said_to_be_and_cannot_be_proposed(
    sign_in: SignIn, console: ConsoleWorld, versions: Models
) -> None:
    page = sign_in(Role.APPROVER, f"/models/{versions.strange}")
    expect(page.locator("#verification")).to_contain_text("bundle is signed by", timeout=10_000)
    propose(page, versions.strange, "trust me")
    expect(page.locator("#refused")).to_contain_text("allowed signers are")
    expect(page.get_by_label("Reason, for the audit")).to_have_value("trust me")
    assert console.registry.proposals() == []


def test_two_versions_are_compared(sign_in: SignIn, versions: Models) -> None:
    page = sign_in(Role.VIEWER, "/models")
    page.locator("select[name=first]").select_option(versions.first)
    page.locator("select[name=second]").select_option(versions.second)
    page.get_by_role("button", name="Compare").click()
    row = page.locator("tr", has_text="average precision")
    expect(row).to_contain_text("differs")
    expect(row).to_contain_text("0.1000")
    expect(row).to_contain_text("+0.1000")
    expect(page.locator("main")).to_contain_text("on the same rows")


def test_a_retrained_version_is_told_from_the_alarm_to_the_gate_with_what_caused_what(
    sign_in: SignIn, console: ConsoleWorld, versions: Models
) -> None:
    found = told_drift("alarm", 4_000).record
    assert isinstance(found, DriftEvent)
    alarm, request = of_drift(found, "a commit"), of_request(REQUEST, "d-alarm")
    for made in (alarm, request):
        topic = console.topics.of(made.topic)
        console.produce(topic, made.value, key=made.key.encode(), headers=made.event.headers())
    key = SigningKey.load(console.folder / "signing-key.pem")
    version = console.registry.put(made_bundle(key, created_at=5, lineage=Lineage("q1", versions.first)))
    report = RetrainReport(request=REQUEST, outcome="offered", number=1, as_of=5_000, gate=GATE, version=version)
    store = RetrainStore(console.stack.redis_url, console.redis_prefix)
    store.write(store.read(), {"q1": report})
    store.close()
    console.registry.log.append(request_entry(REQUEST))
    console.registry.log.append(entry_of(verdict_event(msgspec.structs.replace(report, verdict="pass"))))
    page = sign_in(Role.VIEWER, f"/models/{version}")
    steps = page.locator("#lineage li h3")
    expect(steps).to_have_text(["Drift alarm: performance", "Retrain requested", "Gate passed, registered"])
    expect(page.locator("#lineage li").nth(1)).to_contain_text("caused by d-alarm")
    expect(page.locator("#lineage li").nth(2)).to_contain_text("caused by q1")
    expect(page.locator("#gate")).to_contain_text("0.01 to 0.09")
    expect(page.locator("#gate tbody tr").first).to_contain_text("at least 0")


def test_guardrails_of_a_release_are_followed_and_a_freeze_is_lifted(
    sign_in: SignIn, console: ConsoleWorld, versions: Models
) -> None:
    check = Check(name="alert rate", figure=1.5, limit=2.0, verdict="ok", sentence="as many", rows=900)
    releases = ReleaseStore(console.stack.redis_url, console.redis_prefix)
    running = ReleaseState(
        stage="shadow",
        version=versions.second,
        baseline=versions.first,
        champion=versions.first,
        champion_sequence=1,
        rows=900,
        checks=(check,),
        frozen="m-9 was rolled back",
    )
    state = releases.change(lambda found: msgspec.structs.replace(running, revision=found.revision))
    page = sign_in(Role.APPROVER, "/models")
    expect(page.locator("#release")).to_contain_text(f"compared with {versions.first} on 900 transactions")
    more = msgspec.structs.replace(check, figure=3.0, verdict="broken", sentence="far more alerts", rows=1_800)
    releases.write(msgspec.structs.replace(state, rows=1_800, checks=(more,)))
    expect(page.locator("#release")).to_contain_text("far more alerts", timeout=8_000)
    expect(page.locator("#champion")).to_contain_text("m-9 was rolled back")
    page.locator("#unfreeze").get_by_label("Reason, for the audit").fill("it was the data")
    page.get_by_role("button", name="Unfreeze").click()
    expect(page.locator("#said")).to_contain_text("Candidates are promoted automatically again.")
    expect(page.locator("#unfreeze")).to_have_count(0)
    lifted = releases.read()
    assert lifted.frozen is None
    (action,) = lifted.pending
    assert isinstance(action, Announce)
    assert (action.event.kind, action.event.actor, action.event.cause) == ("unfrozen", "approver", "it was the data")
    releases.change(lambda found: ReleaseState(revision=found.revision))
    releases.close()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_who_may_not_act_sees_everything_and_no_button(
    sign_in: SignIn, console: ConsoleWorld, versions: Models, role: Role
) -> None:
    console.registry.propose(versions.second, "ada", "better")
    page = sign_in(role, "/models")
    expect(page.locator("#waiting")).to_contain_text("better")
    expect(page.locator("#versions")).to_contain_text(versions.third)
    assert page.locator("main form button:not([type=button])").all_inner_texts() == ["Compare"]
    status = page.evaluate(
        """async (version) => {
            const token = document.querySelector('meta[name=csrf-token]').content;
            const body = new URLSearchParams({version, reason: 'mine', csrf_token: token});
            return (await fetch('/models/acts/approve', {method: 'POST', body})).status;
        }""",
        versions.second,
    )
    assert status == 403
    assert champion(console) == versions.first


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE])
def test_nobody_is_shut_out(
    sign_in: SignIn,
    console: ConsoleWorld,
    versions: Models,
    accessible: Callable[[Page], None],
    scheme: str,
    viewport: dict[str, int] | None,
) -> None:
    console.registry.propose(versions.second, "ada", "better")
    size = {} if viewport is None else {"viewport": viewport}
    page = sign_in(Role.APPROVER, "/models", color_scheme=scheme, **size)
    compare = f"/models/compare?first={versions.first}&second={versions.second}"
    for path in ("/models", f"/models/{versions.first}", compare):
        page.goto(path)
        if page.locator("#verification").count():
            expect(page.locator("#verification")).to_contain_text("verified")
        accessible(page)
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{path} is {width} px wider than the screen"
