"""Which models score beside the champion, and for whom one of them decides."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from models.schema.hashing import hash64_column

_WHOLE: Final = 2**64


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """What scorers do beside serving the champion; written by the release loop alone, the higher `sequence` is later.

    Attributes
    ----------
    sequence: grows with each change; 0 says that there was none.
    shadow: versions that score everything and decide nothing; their scores stand in `features` only.
    canary: version that decides for some cards; None for none.
    canary_share: of the cards.
    salt: of the hash that chooses the cards: the same cards as long as it stays the same.
    """

    sequence: int = 0
    shadow: tuple[str, ...] = ()
    canary: str | None = None
    canary_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    salt: str = ""

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version that is to be loaded beside the champion."""
        return tuple(dict.fromkeys((*self.shadow, *(() if self.canary is None else (self.canary,)))))

    @property
    def in_words(self) -> str:
        """What is placed, as one sentence for the audit.

        Examples
        --------
        >>> Placement(canary="m-2", canary_share=0.1).in_words, Placement().in_words
        ('m-2 decides for 10.0% of the cards', 'nothing scores beside the champion')
        """
        parts = [f"{', '.join(self.shadow)} in shadow"] if self.shadow else []
        if self.canary is not None:
            parts.append(f"{self.canary} decides for {self.canary_share:.1%} of the cards")
        return "; ".join(parts) or "nothing scores beside the champion"

    def on_canary(self, cards: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return for each card whether the canary decides, bool[n].

        Examples
        --------
        >>> place = Placement(canary="m-2", canary_share=0.25, salt="r1")
        >>> chosen = place.on_canary([f"card-{n}" for n in range(1000)])
        >>> 200 < int(chosen.sum()) < 300
        True
        """
        if self.canary is None or not self.canary_share:
            return np.zeros(len(cards), np.bool_)
        hashed = hash64_column([f"{self.salt}/{card}" for card in cards])
        return np.asarray(hashed < np.uint64(min(self.canary_share * _WHOLE, _WHOLE - 1)))
