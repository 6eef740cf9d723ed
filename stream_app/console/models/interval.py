"""A figure with its interval and its limits, as places on a line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

WIDTH: Final = 160
_MARGIN: Final = 8


@dataclass(frozen=True, slots=True)
class Interval:
    """Where to draw, from 0 to WIDTH.

    Attributes
    ----------
    figure: the figure.
    low, high: ends of its interval; None without one.
    limits: the limits that it is held against.
    """

    figure: float
    low: float | None
    high: float | None
    limits: tuple[float, ...]

    @classmethod
    def of(
        cls, figure: float | None, low: float | None, high: float | None, limits: Iterable[float | None]
    ) -> Self | None:
        """Return the places; None where there is no figure to be drawn.

        Examples
        --------
        >>> Interval.of(0.5, 0.0, 1.0, (0.0, None))
        Interval(figure=80.0, low=8.0, high=152.0, limits=(8.0,))
        >>> Interval.of(None, None, None, ()) is None
        True
        """
        if figure is None:
            return None
        held = [limit for limit in limits if limit is not None]
        values = [figure, *held, *(end for end in (low, high) if end is not None)]
        least, span = min(values), max(values) - min(values)

        def place(value: float) -> float:
            return round(_MARGIN + (WIDTH - 2 * _MARGIN) * ((value - least) / span if span else 0.5), 1)

        return cls(
            figure=place(figure),
            low=None if low is None else place(low),
            high=None if high is None else place(high),
            limits=tuple(place(limit) for limit in held),
        )
