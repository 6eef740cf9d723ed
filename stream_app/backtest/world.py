"""The past that a backtest plays: transactions, labels and when each was stated, the truth, and who was behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.history import NO_LABEL, History
from models.schema.topics import DAY_MS
from producers.column_mapping import HANDBOOK, ColumnMapping
from producers.column_reader import ColumnReader, HistoryFileError
from producers.labelled_file import labelled_file
from producers.simulator.history import history as simulated_history
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX, TacticScript
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation

Report = Callable[[str], None]

TERMINALS_PER_CUSTOMER: Final = 0.2
TRANSACTIONS_PER_CUSTOMER: Final = 2.0


class WorldError(FraudstreamError):
    """Raised for a past that nothing can be played from."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A past, in the order in which it came.

    Attributes
    ----------
    history: transactions with the label that each got, and when.
    is_fraud: bool[n] what they really were, for the figures at the end.
    tactic: uint8[n] place of the tactic behind each in `tactics`, 0 for a genuine one; all 0 where nobody knows.
    tactics: names, the first None.
    source: what this is, in words.
    """

    history: History
    is_fraud: npt.NDArray[np.bool_]
    tactic: npt.NDArray[np.uint8]
    tactics: tuple[str | None, ...]
    source: str

    def __post_init__(self) -> None:
        """Refuse a past without transactions or out of order."""
        times = self.history.columns.event_time
        if not len(times):
            raise WorldError(f"{self.source} holds no transactions")
        if np.any(np.diff(times) < 0):
            row = int(np.argmax(np.diff(times) < 0)) + 1
            raise WorldError(f"row {row} of {self.source} is earlier than the one before it: sort by event time")

    @property
    def first_day(self) -> int:
        """Event day of the first transaction, as days since 1970; the backtest's day 0."""
        return int(self.history.columns.event_time[0]) // DAY_MS

    @property
    def days(self) -> int:
        """How many days it spans."""
        return int(self.history.columns.event_time[-1]) // DAY_MS - self.first_day + 1

    @property
    def day(self) -> npt.NDArray[np.int64]:
        """Day of each transaction, int64[n] from 0 on."""
        return np.asarray(self.history.columns.event_time // DAY_MS - self.first_day)


def file_world(
    path: Path, mapping: ColumnMapping | None, to_day: int | None, label_delay_days: float, report: Report
) -> World:
    """Read a labelled file; a file with the Fraud Detection Handbook's columns needs no mapping."""
    if mapping is None:
        try:
            ColumnReader(path, HANDBOOK, tuple(HANDBOOK.columns))
        except HistoryFileError as error:
            raise WorldError(f"{error}; say which column is which field with --mapping") from None
        mapping = HANDBOOK
    history = labelled_file(path, mapping, to_day, label_delay_days, report)
    tactic = np.zeros(len(history), np.uint8)
    return World(history, history.is_fraud, tactic, (None,), f"{path.name}, labels {label_delay_days:g} days late")


def simulated_world(
    *,
    days: int,
    seed: int,
    customers: int,
    tactics: Sequence[TacticScript] = (),
    label_delay_days: float | None = None,
    report: Report,
) -> World:
    """Simulate a bank from day 0, as `fraudstream simulate` does for the same seed and size.

    Parameters
    ----------
    tactics: beside the base mix.
    label_delay_days: delay of every label; None draws sources and delays as `fraudstream simulate --labels` does.
    """
    settings = PopulationSettings(
        customers=customers,
        terminals=terminals_of(customers),
        transactions_per_day=TRANSACTIONS_PER_CUSTOMER * customers,
    )
    report(f"simulating {days} days of {customers:,} customers, seed {seed}")
    played = list(Simulation(Population(settings, seed), (*BASE_MIX, *tactics)).days(0, days))
    history = simulated_history(played, seed)
    if label_delay_days is not None:
        late = history.columns.event_time + int(label_delay_days * DAY_MS)
        history = History(history.columns, history.is_fraud, np.where(history.is_fraud, late, NO_LABEL))
    tactic = np.concatenate([day.tactic_code for day in played]).astype(np.uint8)
    source = f"simulated bank, seed {seed}, {customers:,} customers"
    return World(history, history.is_fraud, tactic, played[0].tactic_names, source)


def terminals_of(customers: int) -> int:
    """Return how many terminals a simulated bank of a size has."""
    return max(100, round(TERMINALS_PER_CUSTOMER * customers))
