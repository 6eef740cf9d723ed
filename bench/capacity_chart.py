"""A drawing of where each part ends: one bar each on a logarithmic scale of transactions a second."""

import math
from collections.abc import Mapping
from html import escape
from typing import Final

from bench.capacity_tables import two_digits

LEFT: Final = 330
WIDTH: Final = 480
BAR: Final = 26
TOP: Final = 34
DECADES: Final = (1, 6)
"""From ten transactions a second to a million."""


def chart(ends: Mapping[str, float]) -> str:
    """Return an SVG document.

    Parameters
    ----------
    ends: transactions a second by what ends there, in the order of the bars.
    """
    height = TOP + BAR * len(ends) + 12
    font = 'font-family="sans-serif" font-size="12"'
    label = 'role="img" aria-label="Transactions a second at which one process of each part ends"'
    size = f'viewBox="0 0 {LEFT + WIDTH + 90} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} {label}>',
        f'<rect width="100%" height="{height}" fill="#ffffff"/>',
    ]
    for decade in range(DECADES[0], DECADES[1] + 1):
        x = _x(10.0**decade)
        parts += [
            f'<line x1="{x:.0f}" y1="{TOP - 6}" x2="{x:.0f}" y2="{height - 8}" stroke="#dddddd"/>',
            f'<text x="{x:.0f}" y="{TOP - 14}" text-anchor="middle" fill="#555555">{10**decade:,}</text>',
        ]
    for number, (name, rate) in enumerate(ends.items()):
        y, x = TOP + BAR * number, _x(rate)
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end" fill="#222222">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{y + 4}" width="{x - LEFT:.0f}" height="{BAR - 8}" fill="{_colour(name)}"/>',
            f'<text x="{x + 5:.0f}" y="{y + 16}" fill="#222222">{two_digits(rate):,}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _x(rate: float) -> float:
    first, last = DECADES
    return LEFT + WIDTH * (min(last, max(first, math.log10(rate))) - first) / (last - first)


def _colour(name: str) -> str:
    """What scales out by more of it is blue, what is one process is orange."""
    return "#4878a8" if name.startswith(("one worker", "broker")) else "#d98c3f"
