"""Figures in words."""

from models.schema.performance import Figure


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as people say it, a dash where there is none.

    Examples
    --------
    >>> percent(0.824), percent(0.00524, 2), percent(None)
    ('82 %', '0.52 %', '-')
    """
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def with_interval(figure: Figure) -> str:
    """Return a figure and its 95 % interval.

    Examples
    --------
    >>> with_interval(Figure(0.82, 0.78, 0.86)), with_interval(Figure(0.82))
    ('82 % (78 to 86 %)', '82 %')
    """
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({100 * figure.low:.0f} to {percent(figure.high)})"


def significant(value: float) -> str:
    """Return enough digits to compare by.

    Examples
    --------
    >>> [significant(value) for value in (0.1234, 2.7182, 1234.5)]
    ['0.123', '2.72', '1,234']
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"  # noqa: PLR2004  no decimals from here on


def times(count: int) -> str:
    """Return how often, in words as far as they are short.

    Examples
    --------
    >>> [times(count) for count in (1, 2, 3, 12)]
    ['once', 'twice', 'three times', '12 times']
    """
    words = {1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times"}
    return words.get(count, f"{count} times")
