"""The features of a terminal, from its profile: what transactions at least the maturity old turned out to be."""

from typing import Final

from models.features.feature import Feature
from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS

_MATURITY_DAYS: Final = 7.0
DECLINE_WINDOWS_DAYS: Final = (7, 30)
"""Declines are few and no verdict: two windows of them do."""


def _by_window(
    name: str, description: str, unit: str, reason: str, windows: tuple[int, ...] = PROFILE_WINDOWS_DAYS
) -> tuple[Feature, ...]:
    return tuple(
        Feature(
            f"terminal_{name}_{days}d",
            f"{description} in {days} mature days",
            unit,
            days,
            days + _MATURITY_DAYS,
            reason,
        )
        for days in windows
    )


def _since(name: str, description: str, reason: str) -> Feature:
    described = f"days from {description} to the step, -1 without any"
    return Feature(f"terminal_days_since_{name}", described, "days", 30, 30 + _MATURITY_DAYS, reason)


TERMINAL_FEATURES: Final = (
    *_by_window("approved", "approved transactions", "transactions", "how busy the terminal is"),
    *_by_window("frauds", "confirmed frauds", "transactions", "confirmed frauds at this terminal"),
    *_by_window(
        "unexplained",
        "confirmed frauds that the card does not explain",
        "transactions",
        "frauds at this terminal that the cards do not explain",
    ),
    *_by_window(
        "risk",
        "frauds + 0.01 over approved + 1 (or frauds + 1 if more)",
        "share",
        "high share of fraud at this terminal",
    ),
    *_by_window(
        "declines", "declined transactions", "transactions", "declined payments at this terminal", DECLINE_WINDOWS_DAYS
    ),
    _since(
        "first_unexplained",
        "the first confirmed fraud that the card does not explain in 30 mature days",
        "this terminal was compromised recently",
    ),
    _since(
        "last_genuine",
        "the last approved transaction in 30 mature days that was no fraud",
        "no genuine payment known at this terminal of late",
    ),
    _since(
        "fraud_run",
        "the first confirmed fraud that the card does not explain after the last genuine transaction",
        "nothing but fraud at this terminal since then",
    ),
)
