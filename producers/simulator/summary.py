"""What simulated traffic consisted of: counts per tactic and over time."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.simulated_day import SimulatedDay

GENUINE = "genuine"


@dataclass(slots=True)
class TacticCount:
    """Transactions of one tactic, or the genuine ones."""

    transactions: int = 0
    first_day: int | None = None
    last_day: int | None = None

    def add(self, transactions: int, day: int) -> None:
        """Count transactions of a day."""
        if transactions:
            self.transactions += transactions
            self.first_day = day if self.first_day is None else min(self.first_day, day)
            self.last_day = day if self.last_day is None else max(self.last_day, day)


class TrafficSummary:
    """Counts simulated days, or parts of days, as they go by."""

    def __init__(self) -> None:
        self.counts: dict[str, TacticCount] = {GENUINE: TacticCount()}
        self.days: set[int] = set()
        self.first_event_time: int | None = None
        self.last_event_time: int | None = None

    @property
    def transactions(self) -> int:
        """All transactions."""
        return sum(count.transactions for count in self.counts.values())

    @property
    def frauds(self) -> int:
        """All frauds."""
        return self.transactions - self.counts[GENUINE].transactions

    def add(self, day: SimulatedDay) -> None:
        """Count the transactions of a day, or of a part of one."""
        by_code = np.bincount(day.tactic_code, minlength=len(day.tactic_names)).tolist()
        for name, transactions in zip(day.tactic_names, by_code, strict=True):
            self.counts.setdefault(name or GENUINE, TacticCount()).add(transactions, day.day)
        self.days.add(day.day)
        if len(day):
            self.first_event_time = self.first_event_time or int(day.event_time[0])
            self.last_event_time = int(day.event_time[-1])

    def as_dict(self) -> dict[str, object]:
        """Return the counts in the words of the command's JSON."""
        days = max(1, len(self.days))
        return {
            "transactions": self.transactions,
            "frauds": self.frauds,
            "days": len(self.days),
            "transactions_per_day": round(self.transactions / days, 1),
            "first_event_time": self.first_event_time,
            "last_event_time": self.last_event_time,
            "tactics": {
                name: {
                    "transactions": count.transactions,
                    "per_day": round(count.transactions / days, 2),
                    "share": round(count.transactions / max(1, self.transactions), 6),
                    "first_day": count.first_day,
                    "last_day": count.last_day,
                }
                for name, count in self.counts.items()
            },
        }
