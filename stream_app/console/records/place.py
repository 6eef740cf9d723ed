"""The place of a transaction: where it lies on the topic `transactions`."""

import re
from typing import Final, NamedTuple, Self

from models.errors import FraudstreamError

_PLACE: Final = re.compile(r"(\d{1,9})-(\d{1,9})-(\d{1,18})")


class PlaceError(FraudstreamError):
    """Raised for text that names no place on `transactions`."""


class Place(NamedTuple):
    """Where a transaction lies: one place is one transaction, whatever its identifier."""

    partition: int
    epoch: int
    source_offset: int

    def __str__(self) -> str:
        """As it stands in addresses."""
        return f"{self.partition}-{self.epoch}-{self.source_offset}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the place that a text names.

        Examples
        --------
        >>> Place.of("2-0-17")
        Place(partition=2, epoch=0, source_offset=17)
        """
        found = _PLACE.fullmatch(text)
        if found is None:
            raise PlaceError(f"{text!r:.40} is no place; write PARTITION-EPOCH-OFFSET, as 2-0-17")
        return cls(*map(int, found.groups()))
