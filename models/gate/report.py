"""What the gate says of a candidate, kept with its version."""

from typing import Final

import msgspec

from models.gate.check import Check, Verdict
from models.metrics.pairing import Pairing
from models.schema.retrain_request import RetrainCause

_TIMED: Final = "latency"


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a candidate, and what it rests on.

    Attributes
    ----------
    verdict: fail when one check fails, else undecided when one is. Undecided waits for the next mature day and is no
        rejection.
    cause: why the candidate was trained.
    changed_at: event time of the incident's change, ms; None without one.
    rows, frauds: of all rows.
    deciding_frauds: of the rows that must show that the candidate is better: those since the change in an incident,
        else all.
    from_event_time, to_event_time: first and last event time of the rows, ms.
    standard_error: of the difference in average precision on the deciding rows; None where they do not define it.
    smallest_detectable_difference: true difference above the limit that these rows would show with a chance of 80 %:
        (1.96 + 0.84) times the standard error.
    checks: in the order in which they were made.
    expected_pairing: how far the two agree on these rows; the release's guardrails take their limits from it. None when
        the candidate's scores are no scores.
    seed, resamples: of the draws of cards; equal rows, seed and resamples give equal figures, times apart.
    """

    verdict: Verdict
    cause: RetrainCause
    changed_at: int | None
    rows: int
    frauds: int
    deciding_frauds: int
    from_event_time: int
    to_event_time: int
    standard_error: float | None
    smallest_detectable_difference: float | None
    checks: list[Check]
    expected_pairing: Pairing | None
    seed: int
    resamples: int

    @property
    def reasons(self) -> list[str]:
        """Sentences of the checks that did not pass, failed ones first."""
        return [
            check.sentence for verdict in ("fail", "undecided") for check in self.checks if check.verdict == verdict
        ]

    def without_times(self) -> "GateReport":
        """Return the report without what was timed: what is left is the same whenever the same rows are judged again.

        A manifest holds this one, for a version stands for its content.
        """
        checks = [_untimed(check) if check.name == _TIMED else check for check in self.checks]
        return msgspec.structs.replace(self, checks=checks)


def _untimed(check: Check) -> Check:
    sentence = "the candidate and the champion were timed in turn; the retrain's report has the figures"
    return msgspec.structs.replace(check, figure=None, at_most=None, sentence=sentence)
