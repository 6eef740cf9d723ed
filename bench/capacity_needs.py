"""What a rate of transactions needs, reckoned from what was measured: workers, memory, broker, archive, and the ends.

Everything that grows with the rate is a figure times the rate; what is assumed stands in `Assumptions`.
"""

import math
import statistics
from dataclasses import dataclass
from typing import Final

from bench.capacity_figures import CARD_TRANSACTIONS, Figures, TerminalSize
from models.features.card_entry import STORED_MS
from models.features.feature_set import DEFAULT
from models.features.profile_keeper import MATURITY_MS
from models.features.terminal_counts import STEP_MS
from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS
from models.schema.topics import DAY_MS, FEATURES, SCORES, TOPICS, TRANSACTIONS

DAY_S: Final = DAY_MS / 1000
STORED_DAYS: Final = STORED_MS / DAY_MS
KEEPER_DAYS: Final = MATURITY_MS / DAY_MS + max(PROFILE_WINDOWS_DAYS)
KEEPER_ROWS: Final = 2**31
"""Rows of a hash index are int32."""
VALUE_BYTES: Final = 4 * len(DEFAULT)
TRAINING_ROW_BYTES: Final = VALUE_BYTES + 50
"""A row of `TrainingSet`: its feature values, and the other columns in their dtypes."""
WATCHED_ROW_BYTES: Final = VALUE_BYTES + 72
"""A row of `ScoredRows`, likewise."""
READERS: Final = 2
"""Of `transactions` scorers and archive, of `scores` archive and one downstream, of `features` archive and keeper."""
PROCESS_GB: Final = 0.4
"""Of a worker without any card: interpreter, model, libraries (the 0 of bench_restart)."""
LEASE_S: Final = 3.0
"""Half of `score --session-timeout`: a worker that stands still for longer opens its partitions anew."""
CHAIN_S: Final = 105.0
"""Between two whole checkpoints: `--checkpoint-every` times one more than the increments between them."""
GB: Final = 1e9


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not measured.

    Attributes
    ----------
    card_transactions_a_day: of one card on average.
    cards_a_terminal: how many cards there are for one terminal.
    busy: share of a core, or of a process' memory, that may be planned with.
    memory_gb: of one process that stands alone: the keeper, the watch, the retrainer.
    take_over_s: within which a worker that starts has read its cards.
    replicas: of each record on the brokers.
    training_days: event days that a retrain reads.
    """

    card_transactions_a_day: float = 1.0
    cards_a_terminal: float = 100.0
    busy: float = 0.6
    memory_gb: float = 64.0
    take_over_s: float = 60.0
    replicas: int = 3
    training_days: int = 90


@dataclass(frozen=True, slots=True)
class Needs:
    """What one rate needs.

    Attributes
    ----------
    cards: in the windows.
    workers_by_cpu, workers_by_take_over: of `fraudstream score`, one core each; the larger number counts.
    partitions: of `transactions`, `scores` and `features`.
    card_state_gb: of all workers.
    worker_memory_gb: of one: its share of the cards, all terminals, and the process itself.
    start_memory_gb: of one while it starts: the checkpoints that it reads lie beside the state that it builds.
    checkpoint_gb: two whole chains of all partitions.
    checkpoint_mb_s: that one worker writes of whole chains at the default interval.
    broker_cores: of all brokers, for the leader's part of the work.
    broker_in_mb_s, broker_out_mb_s: from producers, and to workers, archive, profile keeper and one reader of scores.
    broker_disk_tb: all replicas at the retention of `models/schema/topics.py`.
    archive_gb_a_day: as appended.
    archive_cores, keeper_cores, watch_cores: CPU of each.
    keeper_memory_gb, watch_memory_gb, training_memory_gb: of each, for its rows alone.
    step_s: the keeper's CPU time to close a step of six event hours.
    profiles_gb_a_day: on the topic, when every terminal changes at each step.
    """

    cards: float
    workers_by_cpu: int
    workers_by_take_over: int
    partitions: int
    card_state_gb: float
    worker_memory_gb: float
    start_memory_gb: float
    checkpoint_gb: float
    checkpoint_mb_s: float
    broker_cores: float
    broker_in_mb_s: float
    broker_out_mb_s: float
    broker_disk_tb: float
    archive_gb_a_day: float
    archive_cores: float
    keeper_cores: float
    watch_cores: float
    keeper_memory_gb: float
    watch_memory_gb: float
    training_memory_gb: float
    step_s: float
    profiles_gb_a_day: float

    @property
    def workers(self) -> int:
        """How many workers there have to be."""
        return max(self.workers_by_cpu, self.workers_by_take_over)


class Capacity:
    """Reckons with figures and assumptions."""

    def __init__(self, figures: Figures, assumptions: Assumptions) -> None:
        self.figures, self.assumptions = figures, assumptions

    @property
    def worker_us(self) -> float:
        """CPU microseconds an event of a worker whose windows are full."""
        return statistics.median(self.figures.million_cpu_s)

    @property
    def broker_us(self) -> float:
        """CPU microseconds an event of the broker."""
        return statistics.median(one.broker_us for one in self.figures.sharing.values())

    @property
    def card_transaction_bytes(self) -> float:
        """Memory of a worker for each transaction in a window, all arrays of its card included."""
        return self.figures.largest_cards.resident_bytes / CARD_TRANSACTIONS

    @property
    def cards_a_take_over(self) -> float:
        """Cards of thirty transactions that a worker reads in the time allowed."""
        number = max(self.figures.cards, key=int)
        return int(number) / self.figures.cards[number].read_s * self.assumptions.take_over_s

    @property
    def step_us(self) -> tuple[float, float]:
        """CPU microseconds of a keeper's step for each transaction stored, and for each profile that it gives."""
        few, many = self._terminals
        return _apart(few.close_ms * 1e3, few.profiles, many.close_ms * 1e3, many.profiles, few.stored)

    @property
    def keeper_bytes(self) -> tuple[float, float]:
        """Memory of the keeper for each transaction stored, and for each terminal."""
        few, many = self._terminals
        held = [one.keeper_bytes * one.stored for one in (few, many)]
        return _apart(held[0], few.profiles, held[1], many.profiles, few.stored)

    @property
    def _terminals(self) -> tuple[TerminalSize, TerminalSize]:
        sizes = self.figures.terminals
        return sizes[min(sizes, key=int)], sizes[max(sizes, key=int)]

    def needs(self, rate: float) -> Needs:
        """What so many transactions a second, on average over the days, need."""
        figures, given = self.figures, self.assumptions
        a_day = rate * DAY_S
        cards = a_day / given.card_transactions_a_day
        terminals = cards / given.cards_a_terminal
        windows = a_day * STORED_DAYS
        by_cpu = math.ceil(rate * self.worker_us / 1e6 / given.busy)
        by_take_over = math.ceil(windows / CARD_TRANSACTIONS / self.cards_a_take_over)
        workers, state = max(by_cpu, by_take_over), windows * self.card_transaction_bytes
        bytes_of, terminal = figures.broker_bytes, figures.largest_terminals
        kept = sum(bytes_of[name] * (TOPICS[name].retention_days or 0) for name in (TRANSACTIONS, SCORES, FEATURES))
        stored = a_day * KEEPER_DAYS
        chain_gb = windows / CARD_TRANSACTIONS * figures.largest_cards.stored_bytes / GB
        worker_gb = (state / workers + terminals * terminal.scorer_bytes) / GB + PROCESS_GB
        return Needs(
            cards=cards,
            workers_by_cpu=by_cpu,
            workers_by_take_over=by_take_over,
            partitions=max(4, 2 * workers),
            card_state_gb=state / GB,
            worker_memory_gb=worker_gb,
            start_memory_gb=worker_gb + chain_gb / workers,
            checkpoint_gb=2 * chain_gb,
            checkpoint_mb_s=chain_gb / workers / CHAIN_S * 1e3,
            broker_cores=rate * self.broker_us / 1e6 / given.busy,
            broker_in_mb_s=rate * sum(bytes_of.values()) / 1e6,
            broker_out_mb_s=rate * READERS * sum(bytes_of.values()) / 1e6,
            broker_disk_tb=a_day * kept * given.replicas / 1e12,
            archive_gb_a_day=a_day * sum(figures.archive_bytes.values()) / GB,
            archive_cores=rate * figures.archive_us / 1e6 / given.busy,
            keeper_cores=rate * figures.keeper_us / 1e6 / given.busy,
            watch_cores=rate * (figures.drift_us + figures.feedback_us) / 1e6 / given.busy,
            keeper_memory_gb=(stored * self.keeper_bytes[0] + terminals * self.keeper_bytes[1]) / GB,
            watch_memory_gb=2 * a_day * WATCHED_ROW_BYTES / GB,
            training_memory_gb=a_day * given.training_days * TRAINING_ROW_BYTES / GB,
            step_s=(stored * self.step_us[0] + terminals * self.step_us[1]) / 1e6,
            profiles_gb_a_day=terminals * figures.profile_bytes * DAY_MS / STEP_MS / GB,
        )

    def ends(self) -> dict[str, float]:
        """By part, the rate in transactions a second at which one process of it ends, the lowest first."""
        figures, given = self.figures, self.assumptions
        one, memory = self.needs(1.0), given.memory_gb * given.busy
        most, terminal = max(figures.terminals, key=int), figures.largest_terminals
        terminals = one.cards / given.cards_a_terminal
        applied = int(most) / terminal.apply_ms * LEASE_S * 1e3
        found = {
            "retrain: rows of all training days in memory": memory / one.training_memory_gb,
            "profile keeper: transactions of 37 days in memory": memory / one.keeper_memory_gb,
            "profile keeper: 2^31 rows in its index": KEEPER_ROWS / (DAY_S * KEEPER_DAYS),
            "drift watch: two event days in memory": memory / one.watch_memory_gb,
            "one worker: cards read back in the time allowed": (
                self.cards_a_take_over * CARD_TRANSACTIONS / (DAY_S * STORED_DAYS)
            ),
            "one worker: cards in memory": memory / one.card_state_gb,
            "any worker: all terminals in memory": memory * GB / terminal.scorer_bytes / terminals,
            "any worker: all terminals' step applied within its lease": applied / terminals,
            "one worker: its core": 1e6 * given.busy / self.worker_us,
            "archive: its core": 1e6 * given.busy / figures.archive_us,
            "profile keeper: its core": 1e6 * given.busy / figures.keeper_us,
            "drift watch: its core": 1e6 * given.busy / (figures.drift_us + figures.feedback_us),
            "broker: one core": 1e6 * given.busy / self.broker_us,
        }
        return dict(sorted(found.items(), key=lambda item: item[1]))


def _apart(few: float, few_terminals: float, many: float, many_terminals: float, stored: float) -> tuple[float, float]:
    """Tell what a transaction takes from what a terminal takes, given two totals over the same transactions."""
    for_a_terminal = (many - few) / (many_terminals - few_terminals)
    return (few - few_terminals * for_a_terminal) / stored, for_a_terminal
