"""What a simulated bank is like: how many customers, terminals and transactions."""

from dataclasses import dataclass

from models.errors import FraudstreamError
from models.schema.field_types import EARLIEST_MS, LATEST_MS
from producers.simulator.countries import HOME_COUNTRIES

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
START_2025_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z, day 0 unless told otherwise."""

MOST_CUSTOMERS = 1_000_000
MOST_TERMINALS = 1_000_000
FEWEST_TERMINALS = 100


class SimulationSettingsError(FraudstreamError):
    """Raised when a simulated bank of that size or kind cannot be made."""


@dataclass(frozen=True, slots=True)
class PopulationSettings:
    """The size and the home of a simulated bank.

    Parameters
    ----------
    customers
        How many customers; two thirds have one card, the others two.
    terminals
        How many terminals, of physical and online merchants, at home and abroad.
    transactions_per_day
        Genuine transactions of an average day. Weekdays differ, weeks do not.
    start_ms
        Event time at which day 0 begins; must be a UTC midnight.
    home_countries
        Where the customers live: country codes with their shares.
    """

    customers: int = 10_000
    terminals: int = 2_000
    transactions_per_day: float = 20_000.0
    start_ms: int = START_2025_MS
    home_countries: tuple[tuple[str, float], ...] = HOME_COUNTRIES

    def __post_init__(self) -> None:
        """Refuse what no bank can be made of."""
        _require_between("customers", self.customers, 10, MOST_CUSTOMERS)
        _require_between("terminals", self.terminals, FEWEST_TERMINALS, MOST_TERMINALS)
        _require_between("transactions per day", self.transactions_per_day, 1, 100_000_000)
        if self.start_ms % DAY_MS or not EARLIEST_MS <= self.start_ms < LATEST_MS:
            raise SimulationSettingsError(f"day 0 must be a UTC midnight from 2000 to 2099, not {self.start_ms} ms")

    def day_start_ms(self, day: int) -> int:
        """Return the event time at which a day begins.

        Raises
        ------
        SimulationSettingsError
            For a day before day 0 or after 2099, the last year of event times.
        """
        start_ms = self.start_ms + day * DAY_MS
        if day < 0 or start_ms >= LATEST_MS:
            raise SimulationSettingsError(f"day {day}: there are {(LATEST_MS - self.start_ms) // DAY_MS} from day 0 on")
        return start_ms


def _require_between(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SimulationSettingsError(f"{value:,} {what}: give a number from {low:,} to {high:,}")
