"""What one person has proposed and another has to approve."""

from typing import Final, Literal

import msgspec

from models.errors import FraudstreamError

APPROVALS_OFF: Final = "approvals-off"
"""What is proposed when two-person approval is to be switched off."""
VALID_MS: Final = 24 * 3600 * 1000
"""A proposal that nobody has approved within a day was made for another day's reasons."""


class ApprovalError(FraudstreamError):
    """Raised when an act needs a second person, or cannot be approved by this one, or no longer."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion by hand, or the end of two-person approval, that waits for a second person.

    Attributes
    ----------
    what: `promotion` or `approvals-off`.
    subject: the version, or `approvals-off`; there is one proposal for each.
    actor, reason: who proposed it, and why.
    sequence: of its audit record.
    champion_sequence: move of the champion that it was made for, 0 without one: it is void once that has moved.
    at_ms, expires_ms: wall clock, ms.
    """

    what: Literal["promotion", "approvals-off"]
    subject: str
    actor: str
    reason: str
    sequence: int
    champion_sequence: int
    at_ms: int
    expires_ms: int

    def check(self, approver: str, champion_sequence: int, now_ms: int) -> None:
        """Raise ApprovalError unless `approver` may carry it out now."""
        if same_person(approver, self.actor):
            raise ApprovalError(f"{self.subject} was proposed by {self.actor}: another person has to approve it")
        if now_ms >= self.expires_ms:
            raise ApprovalError(f"the proposal of {self.subject} by {self.actor} has expired; propose it again")
        if champion_sequence != self.champion_sequence:
            raise ApprovalError(
                f"the champion was moved since {self.actor} proposed {self.subject}; look again and propose it again"
            )


def same_person(one: str, other: str) -> bool:
    """Whether two names are the same but for capitals and space around.

    Examples
    --------
    >>> same_person("Ada ", "ada"), same_person("ada", "bob")
    (True, False)
    """
    return one.strip().casefold() == other.strip().casefold()
