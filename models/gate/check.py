"""One question to a candidate: figure, limit, verdict, and a sentence for the reader."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from models.schema.performance import Figure

Verdict = Literal["pass", "fail", "undecided"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a candidate.

    Attributes
    ----------
    name: of the check; unique in a report.
    verdict: undecided where the rows do not tell.
    figure: what was found; None where the rows do not define it.
    low, high: limits of its 95 % interval; None where there is none.
    at_least, at_most: the limits that it is held against; None where a side is open.
    unit: of the figure.
    sentence: the outcome in plain words.
    """

    name: str
    verdict: Verdict
    figure: float | None
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: str
    sentence: str

    @classmethod
    def of(
        cls,
        name: str,
        verdict: Verdict,
        found: Figure,
        *,
        unit: str,
        sentence: str,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> "Check":
        """Make a check of a figure with its interval."""
        return cls(
            name=name,
            verdict=verdict,
            figure=found.value,
            low=found.low,
            high=found.high,
            at_least=at_least,
            at_most=at_most,
            unit=unit,
            sentence=sentence,
        )


def overall(checks: Iterable[Check]) -> Verdict:
    """One fail fails all; else one that is undecided leaves all undecided.

    Examples
    --------
    >>> checks = [
    ...     Check(name=each, verdict=each, figure=None, unit="", sentence="") for each in ("pass", "undecided", "fail")
    ... ]
    >>> overall(checks), overall(checks[:2]), overall(checks[:1])
    ('fail', 'undecided', 'pass')
    """
    verdicts = {check.verdict for check in checks}
    return "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"


def proven(figure: Figure, above: float) -> Verdict:
    """Judge what must be shown: the whole interval above the limit passes, the whole interval below it fails.

    Examples
    --------
    >>> proven(Figure(0.02, 0.01, 0.03), 0.0), proven(Figure(0.02, -0.01, 0.05), 0.0), proven(Figure(-1, -2, -0.1), 0.0)
    ('pass', 'undecided', 'fail')
    """
    if figure.low is None or figure.high is None:
        return "undecided"
    return "pass" if figure.low > above else "fail" if figure.high < above else "undecided"


def unharmed(
    figure: Figure, *, at_least: float | None = None, at_most: float | None = None, harmless: float | None = None
) -> Verdict:
    """Judge what must not be seen: within the limits passes, the whole interval beyond one of them fails.

    A figure beyond a limit whose interval reaches back over it is undecided; it passes when the interval holds
    `harmless`, the value of no harm, because chance explains it then.

    Examples
    --------
    >>> unharmed(Figure(-0.01, -0.04, 0.02), at_least=-0.02), unharmed(Figure(-0.03, -0.06, -0.01), at_least=-0.02)
    ('pass', 'undecided')
    >>> unharmed(Figure(-0.09, -0.12, -0.06), at_least=-0.02), unharmed(Figure(-0.09, -0.3, 0.1), at_least=-0.02)
    ('fail', 'undecided')
    >>> unharmed(Figure(-0.09, -0.3, 0.1), at_least=-0.02, harmless=0.0)
    'pass'
    """
    if figure.value is None:
        return "undecided"
    low_side = at_least is not None and figure.value < at_least
    high_side = at_most is not None and figure.value > at_most
    if not low_side and not high_side:
        return "pass"
    if figure.low is None or figure.high is None:
        return "undecided"
    if harmless is not None and figure.low <= harmless <= figure.high:
        return "pass"
    beyond = (at_least is not None and figure.high < at_least) or (at_most is not None and figure.low > at_most)
    return "fail" if beyond else "undecided"


def interval(figure: Figure, digits: int = 4) -> str:
    """Return the interval in words, with the comma before it.

    Examples
    --------
    >>> interval(Figure(0.5, 0.25, 0.75), digits=2)
    ', 95 % interval 0.25 to 0.75'
    """
    if figure.low is None or figure.high is None:
        return ", without an interval"
    return f", 95 % interval {figure.low:.{digits}f} to {figure.high:.{digits}f}"
