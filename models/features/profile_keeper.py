"""What the profile keeper knows: scored transactions and labels in, terminal profiles out at every step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.features.card_entry import DAY_MS
from models.features.label_statements import LabelStatements, Statement
from models.features.profile_table import APPROVED, DECLINES, FRAUDS, NEVER, UNEXPLAINED
from models.features.terminal_counts import STEP_MS, Arrays, CountedStep, TerminalCounts
from models.schema.hashing import hash64, hash64_column
from models.schema.label import Label
from models.schema.terminal_profile import TerminalProfile

__all__ = ["MATURITY_MS", "STEP_MS", "ProfileCounts", "ProfileStep"]

MATURITY_MS: Final = 7 * DAY_MS
"""Default maturity: the handbook's labels are complete on day 7."""
_STEPS_BETWEEN_CLEANING: Final = 4


@dataclass(frozen=True, slots=True)
class ProfileStep:
    """What the keeper publishes at a step.

    Attributes
    ----------
    changed: profiles that differ from the step before, by ageing too.
    removed: ids of terminals whose counts are all zero now.
    youngest_label_event_time: largest event time of any fraud counted so far.
    """

    as_of: int
    changed: list[TerminalProfile]
    removed: list[str]
    youngest_label_event_time: int | None


class ProfileCounts:
    """Turns scored transactions and labels into terminal profiles.

    A step as of T counts transactions whose event time is at most T - maturity, by the latest statement made by T.

    Parameters
    ----------
    maturity_ms: how old a transaction is when its labels are taken to be complete.
    """

    def __init__(self, maturity_ms: int = MATURITY_MS) -> None:
        self._counts = TerminalCounts(maturity_ms)
        self._statements = LabelStatements(self._counts)
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._cleaned_at = 0

    @property
    def as_of(self) -> int:
        """Event time of the last step; 0 before the first."""
        return max(0, self._counts.step) * STEP_MS

    @property
    def terminals(self) -> int:
        """Terminals held."""
        return len(self._names)

    def add_scored(
        self,
        event_time: npt.NDArray[np.int64],
        terminal_ids: Sequence[str],
        transaction_ids: Sequence[str],
        declined: npt.NDArray[np.bool_],
        explained: npt.NDArray[np.bool_],
    ) -> None:
        """Take scored transactions; one that is stored already or in no window any more is left out.

        Parameters
        ----------
        event_time: int64[n] ms.
        terminal_ids, transaction_ids: [n] ids.
        declined: bool[n] whether the decision was to decline.
        explained: bool[n] whether the card would explain a fraud (`FeatureSet.explained`).
        """
        numbers = np.fromiter(map(self._number, terminal_ids), np.int32, count=len(terminal_ids))
        stored = self._counts.add(event_time, numbers, hash64_column(transaction_ids), declined, explained)
        self._statements.transactions_came(stored)

    def _number(self, terminal_id: str) -> int:
        number = self._numbers.get(terminal_id)
        if number is None:
            number = self._numbers[terminal_id] = len(self._names)
            self._names.append(terminal_id)
        return number

    def add_label(self, label: Label, offset: tuple[int, int]) -> None:
        """Take a statement; of a transaction's statements the latest by (labelled_at, offset) counts.

        Parameters
        ----------
        label: what is stated.
        offset: partition and offset of the label, which order statements made in the same millisecond.
        """
        transaction = hash64(label.transaction_id)
        self._statements.add(Statement(label.labelled_at, offset, transaction, label.event_time, label.is_fraud))

    def close_step(self, as_of: int, *, everything: bool = False) -> ProfileStep:
        """Count as of a step and return what changed since the last.

        Parameters
        ----------
        as_of: event time of the step.
        everything: return every terminal, also those that did not change: for readers who may have seen steps that this
            object, restored from a snapshot, has not.

        Raises
        ------
        StepError: as_of is not a multiple of STEP_MS or not after the last step.
        """
        self._counts.check_step(as_of)
        self._statements.take_due(as_of)
        counted = self._counts.close(as_of, self.terminals, everything=everything)
        step = self._published(counted)
        if self._counts.step >= self._cleaned_at + _STEPS_BETWEEN_CLEANING:
            self._cleaned_at = self._counts.step
            self._statements.forget()
            self._rename(self._counts.renumber().tolist())
        return step

    def _published(self, counted: CountedStep) -> ProfileStep:
        names = [self._names[number] for number in counted.terminals.tolist()]
        changed, removed = [], []
        counts, times = counted.counts.tolist(), counted.times.tolist()
        for name, count, at in zip(names, counts, times, strict=True):
            first, genuine, run = (None if moment == NEVER else moment for moment in at)
            profile = TerminalProfile(
                terminal_id=name,
                as_of=counted.as_of,
                approved=count[APPROVED],
                frauds=count[FRAUDS],
                unexplained_frauds=count[UNEXPLAINED],
                declines=count[DECLINES],
                first_unexplained_fraud_at=first,
                last_genuine_at=genuine,
                fraud_run_at=run,
            )
            if profile.is_empty:
                removed.append(name)
            else:
                changed.append(profile)
        youngest = counted.youngest_fraud_at
        return ProfileStep(counted.as_of, changed, removed, None if youngest == NEVER else youngest)

    def _rename(self, kept: Sequence[int]) -> None:
        self._names = [self._names[number] for number in kept]
        self._numbers = {name: number for number, name in enumerate(self._names)}

    def snapshot(self) -> Arrays:
        """Return the whole state as arrays; terminal ids as joined UTF-8 bytes and their ends."""
        encoded = [name.encode() for name in self._names]
        return {
            **self._counts.snapshot(),
            **self._statements.snapshot(),
            "terminal_ids": np.frombuffer(b"".join(encoded), np.uint8).copy(),
            "terminal_id_ends": np.cumsum([len(name) for name in encoded], dtype=np.int64),
        }

    def restore(self, arrays: Arrays) -> None:
        """Replace the state by a snapshot."""
        joined, ends = arrays["terminal_ids"].tobytes(), arrays["terminal_id_ends"].tolist()
        self._names = [joined[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._counts = TerminalCounts(self._counts.maturity_ms)
        self._counts.restore(arrays)
        self._statements = LabelStatements(self._counts)
        self._statements.restore(arrays, self.as_of)
