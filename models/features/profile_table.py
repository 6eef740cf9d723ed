"""What the scorer knows of terminals: the profiles of one step as feature values, by terminal hash."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from models.features.card_entry import DAY_MS
from models.features.feature_set import FeatureSet
from models.features.hash_index import HashIndex
from models.features.kernel_sources import SOURCES
from models.features.kernel_types import Int
from models.features.terminal_features import DECLINE_WINDOWS_DAYS, TERMINAL_FEATURES
from models.schema.columns import TransactionColumns
from models.schema.hashing import hash64_column
from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS, TerminalProfile

WINDOWS = len(PROFILE_WINDOWS_DAYS)
APPROVED, FRAUDS, UNEXPLAINED, DECLINES = range(4)
"""Rows of a terminal's counts int32[4, windows]."""
FIRST_UNEXPLAINED, LAST_GENUINE, FRAUD_RUN = range(3)
"""Columns of a terminal's times int64[3]: see TerminalProfile."""
TIMES = 3
NEVER = -1
"""Stands for "none in the longest window" in arrays of times."""
_RISK_PRIOR = 0.01
_DECLINE_WINDOWS = [PROFILE_WINDOWS_DAYS.index(days) for days in DECLINE_WINDOWS_DAYS]


@numba.njit(cache=True)
def _fill(
    rows: npt.NDArray[np.int32],
    as_of: int,
    profiles: npt.NDArray[np.float32],
    times: npt.NDArray[np.int64],
    start: int,
    out: npt.NDArray[np.float32],
    sources: Int = SOURCES,  # noqa: ARG001 see kernel_sources
) -> None:
    width = profiles.shape[1]
    for i in range(rows.size):
        row = rows[i]
        if row < 0:
            out[i, start : start + width] = 0.0
            out[i, start + width : start + width + TIMES] = NEVER
            continue
        for k in range(width):
            out[i, start + k] = profiles[row, k]
        for k in range(TIMES):
            days = max(0, as_of - times[row, k]) / DAY_MS
            out[i, start + width + k] = days if times[row, k] != NEVER else NEVER


def _values_of(counts: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Return the feature values of counts [n, 4, windows], without those of the times."""
    approved, frauds, unexplained, declines = (counts[:, kind].astype(np.float64) for kind in range(4))
    risk = (frauds + _RISK_PRIOR) / (np.maximum(approved, frauds) + 1)
    risk[(approved == 0) & (frauds == 0)] = 0.0
    return np.hstack([approved, frauds, unexplained, risk, declines[:, _DECLINE_WINDOWS]]).astype(np.float32)


class StepArrays(NamedTuple):
    """Records of a step as `ProfileTable.apply_counts` takes them.

    Attributes
    ----------
    terminals: uint64[k] hashes.
    counts: int32[k, 4, windows].
    times: int64[k, 3].
    """

    terminals: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]

    @classmethod
    def of(cls, records: Mapping[str, TerminalProfile | None]) -> "StepArrays":
        """Return the profiles by terminal id as arrays; None, and counts that are all zero, remove a terminal."""
        changed = [(row, profile) for row, profile in enumerate(records.values()) if profile is not None]
        counts = np.zeros((len(records), 4, WINDOWS), np.int32)
        times = np.full((len(records), TIMES), NEVER, np.int64)
        if changed:
            rows = [row for row, _ in changed]
            given = [(p.approved, p.frauds, p.unexplained_frauds, p.declines) for _, p in changed]
            counts[rows] = np.array(given, np.int64).clip(max=np.iinfo(np.int32).max)
            times[rows] = [_times_of(profile) for _, profile in changed]
        return cls(hash64_column(records), counts, times)

    @classmethod
    def concat(cls, parts: Sequence["StepArrays"]) -> "StepArrays":
        """Return the records of all parts, in order."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class ProfileTable:
    """Terminal features as of one step; a terminal without a profile has zero everywhere and -1 for days since.

    Days are counted up to the step, not to the transaction: profiles that come late are old, and move no feature.

    Parameters
    ----------
    feature_set: the columns to fill.
    """

    def __init__(self, feature_set: FeatureSet) -> None:
        self.feature_set = feature_set
        self.as_of = 0
        """Event time of the step that is applied; 0 before the first."""
        self._start = feature_set.index(TERMINAL_FEATURES[0].name)
        self._clear()

    def _clear(self) -> None:
        self._index = HashIndex()
        self._profiles = np.zeros((0, len(TERMINAL_FEATURES) - TIMES), np.float32)
        self._times = np.zeros((0, TIMES), np.int64)

    @property
    def terminals(self) -> int:
        """Distinct terminals seen, removed ones included."""
        return self._index.count

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, room to grow included."""
        return self._index.nbytes + self._profiles.nbytes + self._times.nbytes

    def apply_counts(
        self,
        as_of: int,
        terminals: npt.NDArray[np.uint64],
        counts: npt.NDArray[np.int32],
        times: npt.NDArray[np.int64],
    ) -> None:
        """Take one step as arrays.

        Parameters
        ----------
        as_of: event time of the step.
        terminals: [k] hashes of the terminals that changed, each once.
        counts: [k, 4, windows] approved, frauds, unexplained frauds, declines; all zero removes the terminal.
        times: [k, 3] event times of the first unexplained fraud, the last genuine transaction and the run of frauds; -1
            for none.
        """
        rows = self._index.add(terminals)
        if self.terminals > len(self._profiles):
            room = max(1024, 2 * self.terminals) - len(self._profiles)
            self._profiles = np.pad(self._profiles, ((0, room), (0, 0)))
            self._times = np.pad(self._times, ((0, room), (0, 0)), constant_values=NEVER)
        self._profiles[rows] = _values_of(counts)
        self._times[rows] = times
        self.as_of = as_of

    def fill(self, columns: TransactionColumns, out: npt.NDArray[np.float32]) -> None:
        """Fill the terminal columns of the feature rows [n, F]."""
        rows = self._index.look_up(columns.terminal)
        _fill(rows, self.as_of, self._profiles, self._times, self._start, out)


def _times_of(profile: TerminalProfile) -> list[int]:
    times = (profile.first_unexplained_fraud_at, profile.last_genuine_at, profile.fraud_run_at)
    return [NEVER if at is None else at for at in times]
