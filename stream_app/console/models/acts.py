"""What a person does to the models: each act refused with one line, or recorded under the person's name."""

from collections.abc import Callable
from typing import Final

from models.errors import FraudstreamError
from models.proposal import APPROVALS_OFF
from models.registry import CHAMPION, PREVIOUS, Registry
from models.release.plan import ReleasePlan
from models.release.release import ReleasePolicy
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.retrain.release.release_state import ReleaseStore

LONGEST_REASON: Final = 500


class ActError(FraudstreamError):
    """Raised for an act without a reason, or on something that has changed since the page was shown."""


class Acts:
    """Carries out what an approver wants; every method returns the number of the audit record to be shown.

    Models are verified first, as `fraudstream models` does.

    Parameters
    ----------
    registry: moves the aliases, and keeps to its rule of two persons.
    releases: where the release loop keeps its state.
    allowed: returns the signers that count.
    """

    def __init__(self, registry: Registry, releases: ReleaseStore, allowed: Callable[[], AllowedSigners]) -> None:
        self._registry, self._releases, self._allowed = registry, releases, allowed

    def promote(self, version: str, actor: str, reason: str, seen: int) -> int:
        """Make a version champion, or propose it where that takes two persons.

        Parameters
        ----------
        version: the version.
        actor, reason: who and why.
        seen: move of the champion that the page showed, 0 without one.
        """
        _check(reason)
        self._load(version)
        if not self._registry.approvals_required():
            return self._registry.promote(version, actor, reason, expected_sequence=seen).sequence
        champion = self._registry.alias(CHAMPION)
        if (0 if champion is None else champion.sequence) != seen:
            raise ActError("the champion has moved since this page was shown; look again and repeat")
        return self._registry.propose(version, actor, reason).sequence

    def approve(self, subject: str, actor: str, reason: str) -> int:
        """Carry out what another person has proposed."""
        _check(reason)
        if subject != APPROVALS_OFF:
            self._load(subject)
        moved = self._registry.approve(subject, actor, reason)
        if moved is not None:
            return moved.sequence
        head = self._registry.log.head()
        return 0 if head is None else head.sequence

    def reject(self, subject: str, actor: str, reason: str) -> int:
        """Take a proposal off the table."""
        _check(reason)
        return self._registry.reject(subject, actor, reason).sequence

    def roll_back(self, actor: str, reason: str, seen: int) -> int:
        """Make the champion before it champion again, at once; `seen` as for `promote`."""
        _check(reason)
        previous = self._registry.alias(PREVIOUS)
        if previous is not None:
            self._load(previous.version)
        return self._registry.rollback(actor, reason, expected_sequence=seen).sequence

    def unfreeze(self, actor: str, reason: str) -> None:
        """Let candidates be promoted automatically again; the release loop writes it into the audit."""
        _check(reason)
        # The plan says how long stages last; lifting a freeze asks for none of it.
        policy = ReleasePolicy(ReleasePlan())
        self._releases.change(lambda found: policy.unfreeze(found, actor, reason))

    def require_two(self, actor: str, reason: str) -> int:
        """Let promotions by hand need a second person from now on."""
        _check(reason)
        self._registry.require_approvals(actor, reason)
        head = self._registry.log.head()
        return 0 if head is None else head.sequence

    def propose_one(self, actor: str, reason: str) -> int:
        """Propose that one person is enough again; that takes two."""
        _check(reason)
        return self._registry.propose(APPROVALS_OFF, actor, reason).sequence

    def _load(self, version: str) -> None:
        LoadedModel.load(self._registry.get(version), self._allowed())


def _check(reason: str) -> None:
    if not reason.strip():
        raise ActError("say why: the reason goes into the audit")
    if len(reason) > LONGEST_REASON:
        raise ActError(f"the reason has {len(reason)} characters; {LONGEST_REASON} are enough")
