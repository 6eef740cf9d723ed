"""The control group: a few declines that are let pass at random, so that the declined can be judged too."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.schema.feature_batch import DECISIONS
from models.schema.topics import DAY_MS

FEWEST_ROWS_A_WEEK: Final = 50
"""Below it a week's estimate among the declined is mostly noise: at 50 rows a share of one half is known to +-14 %."""

_APPROVE: Final = DECISIONS.index("approve")
_DECLINE: Final = DECISIONS.index("decline")
_KEPT_DAYS: Final = 8
"""Event days whose count is kept; a day before all of them lets nothing pass, so that no day's cap is given twice."""
_SHORTEST_SEED: Final = 16


class Drawable(Protocol):
    """What the draw needs of a transaction."""

    @property
    def transaction_id(self) -> str:
        """The id that is hashed."""
        ...

    @property
    def event_time(self) -> int:
        """Its moment, ms: the day's cap is counted by it."""
        ...


class ControlGroupError(FraudstreamError):
    """Raised for a control group that cannot be drawn, or not in secret."""


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """Who may pass, and how many.

    Parameters
    ----------
    share: chance of a decline to pass, 0 (none does) to below 1.
    amount_cap_minor: largest amount that may pass, minor units of the reporting currency.
    day_cap: most rows that pass in an event day, all partitions together; a day risks at most this times the cap above.
    hard_block: score from which on nothing may pass; None knows no such score.
    seed: key of the draw; whoever knows it, and can choose transaction ids, chooses who passes.

    Raises
    ------
    ControlGroupError
        For values out of range, and for a seed of less than 16 bytes.
    """

    share: float = 0.05
    amount_cap_minor: int = 25_000
    day_cap: int = 100
    hard_block: float | None = None
    seed: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not 0.0 <= self.share < 1.0:
            raise ControlGroupError(f"control share {self.share} must be at least 0 and below 1")
        if self.amount_cap_minor < 0 or self.day_cap < 0:
            raise ControlGroupError(
                f"control caps {self.amount_cap_minor} (amount) and {self.day_cap} (rows a day) must not be negative"
            )
        if self.share and len(self.seed) < _SHORTEST_SEED:
            raise ControlGroupError(
                f"a control seed of {len(self.seed)} bytes can be guessed; give at least {_SHORTEST_SEED} random bytes"
            )

    def day_cap_of(self, partition: int, partitions: int) -> int:
        """A partition's part of the day's cap; the parts of all partitions add up to it.

        Examples
        --------
        >>> [ControlPolicy(share=0.0, day_cap=10).day_cap_of(partition, 4) for partition in range(4)]
        [3, 3, 2, 2]
        """
        return self.day_cap // partitions + (partition < self.day_cap % partitions)

    def expected_a_week(self, drawable_a_day: float) -> float:
        """Rows of the control group to be expected in a week, of so many declines a day that may be drawn.

        Examples
        --------
        >>> round(ControlPolicy(share=0.05, day_cap=100, seed=bytes(16)).expected_a_week(200), 1)
        70.0
        """
        return 7 * min(self.share * drawable_a_day, float(self.day_cap))


NO_CONTROL_GROUP: Final = ControlPolicy(share=0.0)


class PassMark(NamedTuple):
    """A decline that could be drawn: its chance, and the day counts after it where it was let pass (else None)."""

    pass_probability: float
    used: str | None


@dataclass(frozen=True, slots=True)
class Draw:
    """What became of a batch of decisions.

    Attributes
    ----------
    decision: uint8[n] what is published: a decline that is let pass is an approval.
    control: bool[n] whether the row was let pass.
    pass_probability: float32[n] 1 where nothing would have stopped the row, the share where it was drawn, else 0.
    used: the day counts before the batch, as text.
    marks: the rows that were drawn.
    drawable: declines that are neither above the cap of the amount nor a hard block.
    """

    decision: npt.NDArray[np.uint8]
    control: npt.NDArray[np.bool_]
    pass_probability: npt.NDArray[np.float32]
    used: str = ""
    marks: Mapping[int, PassMark] = field(default_factory=dict)
    drawable: int = 0


class ControlGroup:
    """Draws the control group of one partition, in offset order.

    The draw of a transaction is a keyed hash of its id, so it comes out the same whoever repeats it. Only the counts
    of the last event days are state.

    Parameters
    ----------
    policy: who may pass.
    day_cap: most rows that pass in an event day here.
    used: rows that have passed, by event day (UTC days since 1970), as text of `used`.
    """

    def __init__(self, policy: ControlPolicy, day_cap: int, used: str = "") -> None:
        self._policy = policy
        self._day_cap = day_cap
        self._used = {int(day): int(count) for day, count in (entry.split(":") for entry in used.split(",") if entry)}
        self._passes_below = int(policy.share * 2**64)

    @property
    def used(self) -> str:
        """Rows that have passed by event day, `DAY:ROWS,DAY:ROWS`."""
        return ",".join(f"{day}:{rows}" for day, rows in self._used.items())

    def draw(
        self,
        asked: npt.NDArray[np.uint8],
        score: npt.NDArray[np.float32],
        amount_minor: npt.NDArray[np.int64],
        transactions: Sequence[Drawable],
    ) -> Draw:
        """Let some of the declines pass.

        Parameters
        ----------
        asked: uint8[n] what the model decides.
        score: float32[n].
        amount_minor: int64[n] minor units of the reporting currency.
        transactions: the n transactions.
        """
        policy, declined = self._policy, asked == _DECLINE
        drawn = Draw(asked, np.zeros(len(asked), np.bool_), np.ones(len(asked), np.float32), self.used)
        if not np.count_nonzero(declined):
            return drawn
        drawn.pass_probability[declined] = 0.0
        if not policy.share:
            return drawn
        drawable = declined & (amount_minor <= policy.amount_cap_minor)
        if policy.hard_block is not None:
            drawable &= score < np.float32(policy.hard_block)
        rows = np.flatnonzero(drawable).tolist()
        marks = {row: self._mark(transactions[row]) for row in rows}
        marks = {row: mark for row, mark in marks.items() if mark.pass_probability}
        drawn.pass_probability[list(marks)] = policy.share
        drawn.control[[row for row, mark in marks.items() if mark.used is not None]] = True
        decision = np.where(drawn.control, np.uint8(_APPROVE), asked)
        return Draw(decision, drawn.control, drawn.pass_probability, drawn.used, marks, len(rows))

    def _mark(self, transaction: Drawable) -> PassMark:
        day = transaction.event_time // DAY_MS
        if not self._has_room(day):
            return PassMark(0.0, None)
        drawn = hashlib.blake2b(transaction.transaction_id.encode(), digest_size=8, key=self._policy.seed[:64])
        if int.from_bytes(drawn.digest(), "big") >= self._passes_below:
            return PassMark(self._policy.share, None)
        if day not in self._used and len(self._used) == _KEPT_DAYS:
            del self._used[min(self._used)]
        self._used[day] = self._used.get(day, 0) + 1
        return PassMark(self._policy.share, self.used)

    def _has_room(self, day: int) -> bool:
        if day in self._used or len(self._used) < _KEPT_DAYS or day > min(self._used):
            return self._used.get(day, 0) < self._day_cap
        return False
