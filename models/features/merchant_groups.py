"""Coarse groups of merchant category codes, ordered by how readily stolen cards are spent there."""

from typing import Final

import numpy as np
import numpy.typing as npt

UNKNOWN, EVERYDAY, SERVICES, HEALTH, FUEL, RETAIL, TRAVEL, RESALE, DIGITAL, CASH, GAMBLING = range(11)
GROUP_NAMES: Final = (
    "unknown", "everyday", "services", "health", "fuel", "retail", "travel", "goods that sell on", "digital goods",
    "cash and quasi cash", "gambling",
)  # fmt: skip
"""The groups' names, by their number."""

_GROUPS: Final = (  # first and last code, group; later lines override, all others are services
    (3000, 3999, TRAVEL),
    (4000, 4799, TRAVEL),
    (5000, 5399, RETAIL),
    (5400, 5499, EVERYDAY),
    (5500, 5599, FUEL),
    (5600, 5799, RETAIL),
    (5800, 5814, EVERYDAY),
    (5815, 5818, DIGITAL),
    (5900, 5999, RETAIL),
    (8000, 8099, HEALTH),
    (4111, 4131, EVERYDAY),
    (4829, 4829, CASH),
    (5045, 5045, RESALE),
    (5541, 5542, FUEL),
    (5732, 5735, RESALE),
    (5912, 5912, HEALTH),
    (5944, 5944, RESALE),
    (5966, 5969, DIGITAL),
    (6010, 6012, CASH),
    (6050, 6051, CASH),
    (6211, 6211, CASH),
    (6538, 6540, CASH),
    (7011, 7033, TRAVEL),
    (7512, 7519, TRAVEL),
    (7800, 7802, GAMBLING),
    (7994, 7994, DIGITAL),
    (7995, 7995, GAMBLING),
)


def _table() -> npt.NDArray[np.uint8]:
    groups = np.full(10_000, SERVICES, np.uint8)
    groups[0] = UNKNOWN
    for first, last, group in _GROUPS:
        groups[first : last + 1] = group
    return groups


GROUP_OF_MCC: Final = _table()
"""Group of each four-digit merchant category code; 0 unknown."""
