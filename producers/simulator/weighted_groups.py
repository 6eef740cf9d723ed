"""Weighted draws from one of many groups at once, such as a shop of each row's own town."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True, slots=True)
class WeightedGroups:
    """Members sorted by group, with one cumulative weight that rises by exactly 1 within each group.

    Examples
    --------
    >>> groups = WeightedGroups.build(np.array([0, 0, 2]), np.array([1.0, 3.0, 5.0]), groups=3)
    >>> groups.draw(np.array([0, 0, 2]), np.array([0.1, 0.9, 0.5])).tolist()
    [0, 1, 2]
    >>> groups.sizes.tolist()
    [2, 0, 1]
    """

    members: np.ndarray
    sizes: np.ndarray
    ceiling: np.ndarray

    @classmethod
    def build(cls, group_of_member: np.ndarray, weights: np.ndarray, groups: int) -> Self:
        """Sort members 0..n-1 into groups; a negative group leaves the member out."""
        members = np.argsort(group_of_member, kind="stable")
        members = members[group_of_member[members] >= 0].astype(np.int32)
        group = group_of_member[members]
        sizes = np.bincount(group, minlength=groups)
        totals = np.bincount(group, weights=weights[members], minlength=groups)
        running = np.cumsum(weights[members])
        before = np.concatenate(([0.0], np.cumsum(totals)))[group]
        ceiling = group + np.minimum((running - before) / totals[group], 1.0)
        ceiling[np.cumsum(sizes)[sizes > 0] - 1] = np.flatnonzero(sizes) + 1.0
        return cls(members, sizes, ceiling)

    def draw(self, group: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Return one member of each row's group, chosen by a number in [0, 1); the group must not be empty."""
        position = np.searchsorted(self.ceiling, group + uniform, side="right")
        # group + uniform may round up to the next group's floor: stay inside.
        last = np.cumsum(self.sizes)[group] - 1
        chosen: np.ndarray = self.members[np.minimum(position, last)]
        return chosen

    def of(self, group: int) -> np.ndarray:
        """Return the members of one group."""
        end = int(self.sizes[: group + 1].sum())
        members: np.ndarray = self.members[end - int(self.sizes[group]) : end]
        return members
