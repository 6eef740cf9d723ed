"""The models that score a batch, and what each is there for; swapped as a whole between two batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from models.release.placement import Placement
from models.scorer import LoadedModel

Part = Literal["champion", "canary", "shadow", "reserve"]
"""What a model is there for."""


@dataclass(frozen=True, slots=True)
class Lineup:
    """One unit of state: whoever scores a batch takes the whole of it once.

    Parameters
    ----------
    champion:
        Decides whatever the canary does not.
    beside:
        Placed models that are loaded, by version, never the champion; those that take the champion's place when it
        fails come in this order.
    placement:
        What was asked for; a version of it that is not in `beside` was refused, or is the champion.
    reserve:
        The champion before, where it is still in memory and not placed: it scores only when the champion fails.
    """

    champion: LoadedModel
    beside: Mapping[str, LoadedModel] = field(default_factory=dict)
    placement: Placement = field(default_factory=Placement)
    reserve: LoadedModel | None = None

    @property
    def canary(self) -> LoadedModel | None:
        """The model that decides for some cards, if it is loaded and is not the champion."""
        placement = self.placement
        return self.beside.get(placement.canary) if placement.canary and placement.canary_share else None

    @property
    def understudies(self) -> tuple[LoadedModel, ...]:
        """Who decides when the champion fails, the first that can: shadows, the champion before, the canary."""
        canary = self.canary
        shadows = [model for model in self.beside.values() if model is not canary]
        return tuple(model for model in (*shadows, self.reserve, canary) if model is not None)

    @property
    def versions(self) -> list[str]:
        """Every version that scores each batch."""
        return [self.champion.version, *self.beside]

    def part_of(self, version: str) -> Part:
        """What a model is there for."""
        if version == self.champion.version:
            return "champion"
        if version not in self.beside:
            return "reserve"
        canary = self.canary
        return "canary" if canary is not None and canary.version == version else "shadow"
