"""What more cards cost beside ten thousand: resident memory a card, and CPU time of `Lane.score` an event.

Each number of cards has a process of its own, with the lanes of four partitions as a worker holds them and thirty
transactions of each card in the window. Rounds of all take turns; a round is fresh skewed traffic. Then one card of the
most gets 5,000 transactions, and is in every batch of a last round.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psutil

from bench.card_population import NOW_MS, START_MS, CardPopulation
from bench.workload import Workload, train_model
from models.bundle import Bundle
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema import wire
from models.schema.columns import TransactionColumns
from models.schema.feature_batch import decode_feature_batch
from models.schema.hashing import hash64
from models.schema.money import default_reporting_currency
from models.schema.transaction import Transaction
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import RecordBatch, Scored
from stream_app.scoring.warm_up import warm_up

PARTITIONS: Final = 4
BATCH: Final = 500
BUSY_CARD: Final = "busy-card"
BUSY_TRANSACTIONS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Memory:
    """What filling the state has added to the process, in bytes a card, and its highest on the way."""

    resident: float
    peak: float
    accounted: float


class Lanes:
    """The lanes of one worker, in the process that this was made in."""

    def __init__(self, cards: int, bundle: Bundle, folder: Path, templates: list[bytes]) -> None:
        model = LoadedModel.load(bundle, AllowedSigners.in_folder(folder / "allowed-signers"))
        currency = default_reporting_currency()
        warm_up(model, currency)
        self._templates = templates
        self._population = CardPopulation(cards, templates, PARTITIONS)
        self._lineup = Lineup(model)
        CardPopulation(1_000, templates, PARTITIONS).filled(0)
        profiles = ProfileTable(DEFAULT)
        before = _resident()
        states = [self._population.filled(partition) for partition in range(PARTITIONS)]
        held = sum(state.nbytes for state in states)
        self.memory = Memory(*((one - before) / cards for one in (_resident(), _peak(), before + held)))
        self._scoring = JointScoring(DEFAULT, profiles, currency, 4)
        self._lanes = [
            Lane(LaneIdentity(at, PARTITIONS, "", 0, "bench"), LaneStart(0, 0), state)
            for at, state in enumerate(states)
        ]

    def round(self, events: int, seed: int, *, busy: bool | None = None) -> tuple[float, float]:
        """CPU microseconds an event of fresh traffic, and the share that was flagged.

        `busy` puts the busy card into each batch, or not, and leaves reasons out: the busy card may need one each time.
        """
        messages = self._population.traffic(events, seed, seed * events)
        parts: list[list[tuple[bytes, bytes]]] = [[] for _ in range(PARTITIONS)]
        for key, value in messages:
            parts[self._population.partition_of[int(key[5:])]].append((key, value))
        took_s, flagged = 0.0, 0
        for lane, part in zip(self._lanes, parts, strict=True):
            for start in range(0, len(part), BATCH):
                records = part[start : start + BATCH]
                if busy:
                    records = [*records[:-1], _of_busy_card(records[-1][1], f"{seed}-{start}")]
                began_s = time.thread_time()
                flagged += self._score(lane, records, overdue=busy is not None).flagged
                took_s += time.thread_time() - began_s
        return took_s / events * 1e6, flagged / events

    def fill_busy(self) -> int:
        """Give one card 5,000 transactions in every lane; return how many its next transaction counts."""
        times = np.linspace(START_MS + 86_400_000, NOW_MS, BUSY_TRANSACTIONS).astype(np.int64)
        columns = TransactionColumns.from_arrays(
            times,
            np.full(len(times), 1_000),
            np.full(len(times), hash64(BUSY_CARD), np.uint64),
            np.arange(len(times)).astype(np.uint64),
            np.random.default_rng(0).integers(1, 2**63, len(times)).astype(np.uint64),
        )
        for lane in self._lanes:
            lane.cards.advance(columns, None, np.zeros(len(columns), np.uint8))
        scored = self._score(self._lanes[0], [_of_busy_card(self._templates[0], "first")])
        values = decode_feature_batch(scored.features[0].value).values
        return int(values[0, DEFAULT.index("card_count_30d")])

    def _score(self, lane: Lane, records: list[tuple[bytes, bytes]], *, overdue: bool = False) -> Scored:
        first = lane.next_offset
        offsets = np.arange(first, first + len(records))
        keys, values = [key for key, _ in records], [value for _, value in records]
        batch = RecordBatch(lane.identity.partition, 0, offsets, list(keys), list(values), overdue)
        (scored,) = self._scoring.score([(lane, batch)], self._lineup, stale=False, now_ms=0)
        self._scoring.log([(lane, scored)])
        return scored


_lanes: Lanes


def _start(cards: int, bundle: Bundle, folder: Path, templates: list[bytes]) -> Memory:
    global _lanes  # noqa: PLW0603  a process of a pool keeps its work in a global
    _lanes = Lanes(cards, bundle, folder, templates)
    return _lanes.memory


def _round(events: int, seed: int, *, busy: bool | None = None) -> tuple[float, float]:
    return _lanes.round(events, seed, busy=busy)


def _fill_busy() -> int:
    return _lanes.fill_busy()


def _of_busy_card(template: bytes, number: str) -> tuple[bytes, bytes]:
    one = wire.decode(Transaction, template)
    changed = Transaction(number, NOW_MS, BUSY_CARD, one.terminal_id, one.amount_minor, one.currency)
    return BUSY_CARD.encode(), wire.encode(changed)


def sample(templates: list[bytes]) -> npt.NDArray[np.float32]:
    """Feature rows of traffic such as this, for the model's threshold."""
    population = CardPopulation(10_000, templates, PARTITIONS)
    state = population.filled(0)
    columns = population.upcoming(40_000, seed=99)
    columns = columns.take(np.isin(columns.card, population.hashes[population.partition_of == 0]))
    values = np.full((len(columns), len(DEFAULT)), np.nan, np.float32)
    ProfileTable(DEFAULT).fill(columns, values)
    state.advance(columns, values, np.zeros(len(columns), np.uint8))
    return values


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _peak() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="baseline first")
    parser.add_argument("--events", type=int, default=20_000, help="events a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    templates = [value for _, value in Workload.simulated(50_000).messages]
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle, _ = train_model(folder, sample(templates))
        pools = {cards: ProcessPoolExecutor(1, spawn) for cards in arguments.cards}
        memory = {c: pool.submit(_start, c, bundle, folder, templates).result() for c, pool in pools.items()}
        rounds: dict[int, list[tuple[float, float]]] = {cards: [] for cards in pools}
        for seed in range(arguments.rounds + 1):
            for cards, pool in pools.items():
                rounds[cards].append(pool.submit(_round, arguments.events, seed).result())
        few, many = arguments.cards[0], arguments.cards[-1]
        counted = pools[many].submit(_fill_busy).result()
        beside: dict[bool, list[float]] = {False: [], True: []}
        for seed in range(arguments.rounds + 1, 3 * arguments.rounds + 1):
            busy = seed % 2 == 0
            beside[busy].append(pools[many].submit(_round, arguments.events, seed, busy=busy).result()[0])
        for pool in pools.values():
            pool.shutdown()
    us = {cards: statistics.median(took for took, _ in found[1:]) for cards, found in rounds.items()}
    without, having = (statistics.median(beside[busy]) for busy in (False, True))
    found = {
        "bytes_per_card": {str(cards): asdict(one) for cards, one in memory.items()},
        "us_per_event": {str(cards): us[cards] for cards in arguments.cards},
        "flagged": {str(cards): statistics.mean(share for _, share in rounds[cards]) for cards in arguments.cards},
        "throughput_ratio": us[few] / us[many],
        "busy_card": {"counted": counted, "us_per_event": having, "throughput_ratio": without / having},
    }
    print(json.dumps(found) if arguments.json else _text(found, arguments.cards))


def _text(found: dict[str, Any], numbers: list[int]) -> str:
    lines = [f"{'cards':>12}{'bytes a card':>14}{'at the peak':>13}{'us an event':>13}{'flagged':>9}"]
    for cards in numbers:
        memory = found["bytes_per_card"][str(cards)]
        lines.append(
            f"{cards:>12,}{memory['resident']:>14,.0f}{memory['peak']:>13,.0f}"
            f"{found['us_per_event'][str(cards)]:>13.2f}{found['flagged'][str(cards)]:>9.2%}"
        )
    busy = found["busy_card"]
    return "\n".join(
        [
            *lines,
            f"throughput at {numbers[-1]:,} cards is {found['throughput_ratio']:.2f} of that at {numbers[0]:,}",
            f"a card of {BUSY_TRANSACTIONS:,}: {busy['counted']:,} counted",
            f"throughput with it in each batch of {BATCH} is {busy['throughput_ratio']:.2f} of that without",
        ]
    )


if __name__ == "__main__":
    main()
