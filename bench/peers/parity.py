"""Does the Kafka Streams app compute what `fraudstream score` does? Both score the same transactions; all is compared.

The events of hours are stretched over 40 days, so that every window fills and old transactions leave. Some come again,
some hours late, some days late, some without their optional fields: there windows go wrong. Ends with 1 where a feature
differs by more than a millionth of its size, a score by more than 1e-5, or a decision or a duplicate at all.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message

from bench.peer import REDIS_PREFIX, Place, scoring_worker
from bench.peers.feature_log import decode_feature_log
from bench.peers.jvm import Mode, kafka_streams_worker
from bench.traffic import Traffic
from bench.worker import Worker
from bench.workload import SEED, Workload, promote_model
from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.feature_batch import decode_feature_batch
from models.schema.score import Score
from models.schema.topics import DAY_MS, TopicNames
from stream_app.chaos.topic_log import TopicLog
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics

SPAN_DAYS: Final = 40
CUSTOMERS: Final = 150
FEATURE_TOLERANCE: Final = 1e-6
SCORE_TOLERANCE: Final = 1e-5
DEADLINE_S: Final = 60.0

Source = tuple[int, int]
"""Partition and offset of a transaction."""
Values = npt.NDArray[np.float32]


class Feature(NamedTuple):
    """What the feature log says of a transaction."""

    transaction_id: str
    values: Values


@dataclass(frozen=True, slots=True)
class Output:
    """What a worker has written, by the place of the transaction."""

    scores: dict[Source, Score]
    features: dict[Source, Feature]


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a mode's output differs from ours.

    Attributes
    ----------
    unequal_columns: features that are not equal bit by bit in some row, with the largest difference over size.
    largest_score_difference: of any row.
    other_verdicts: rows whose transaction id, decision or duplicate mark differs.
    """

    rows: int
    duplicates: int
    unequal_columns: dict[str, float]
    largest_score_difference: float
    other_verdicts: int

    @property
    def holds(self) -> bool:
        """Whether the app does the same work."""
        within = all(difference <= FEATURE_TOLERANCE for difference in self.unequal_columns.values())
        return within and self.largest_score_difference <= SCORE_TOLERANCE and not self.other_verdicts


def hard_messages(count: int) -> list[tuple[bytes, bytes]]:
    """Return simulated transactions made difficult, in the order in which they come."""
    workload, drawn = Workload.simulated(count, CUSTOMERS), random.Random(SEED)
    first, last = int(workload.event_time[0]), int(workload.event_time[-1])
    messages = []
    for key, value in workload.messages:
        record: dict[str, Any] = json.loads(value)
        record["event_time"] = first + (record["event_time"] - first) * SPAN_DAYS * DAY_MS // (last - first)
        lot = drawn.random()
        if lot < 0.05:
            record["event_time"] -= drawn.randrange(DAY_MS)
        elif lot < 0.06:
            record["event_time"] -= drawn.randrange(DAY_MS, 3 * DAY_MS)
        elif lot < 0.1:
            for name in ("mcc", "merchant_country", "channel", "entry_mode"):
                record.pop(name, None)
        messages.append((key, wire.encode(record)))
        if lot > 0.97:
            messages.append(messages[drawn.randrange(max(0, len(messages) - 500), len(messages))])
    return messages


def output_of(worker: Worker, place: Place, messages: list[tuple[bytes, bytes]]) -> Output:
    """Let a worker score messages, and return all that it wrote."""
    broker, topics = place.broker, place.topics
    with Traffic(broker, topics) as traffic, worker:
        traffic.send(messages)
        traffic.receive(worker, len(messages))
        features, until = dict[Source, Feature](), time.monotonic() + DEADLINE_S
        while len(features) < len(messages) and time.monotonic() < until:
            features = {place: row for message in _read(broker, topics.features) for place, row in _rows(message)}
    scores = dict[Source, Score]()
    for message in _read(broker, topics.scores):
        score = wire.decode(Score, message.value() or b"")
        scores[message.partition() or 0, score.source_offset] = score
    return Output(scores, features)


def _read(broker: str, topic: str) -> list[Message]:
    log = TopicLog(broker, topic)
    log.read()
    log.close()
    return [message for messages in log.records.values() for message in messages]


def _rows(message: Message) -> list[tuple[Source, Feature]]:
    value, partition = message.value() or b"", message.partition() or 0
    if message.key() is None:
        batch = decode_feature_batch(value)
        offsets, ids, values = batch.numpy("source_offset"), batch.strings("transaction_id"), batch.values
    else:
        rows = decode_feature_log(value)
        offsets, ids, values = rows.source_offset, rows.transaction_id, rows.values
    return [((partition, int(offsets[at])), Feature(ids[at], values[at])) for at in range(len(ids))]


def compare(ours: Output, theirs: Output) -> Parity:
    """Hold every row of one against the other; KeyError where a row is missing."""
    places = sorted(ours.scores)
    mine = np.array([ours.features[place].values for place in places])
    other = np.array([theirs.features[place].values for place in places])
    difference = np.abs(mine.astype(np.float64) - other) / np.maximum(1.0, np.abs(mine))
    unequal = np.flatnonzero((mine != other).any(axis=0))
    pairs = [(ours.scores[place], theirs.scores[place]) for place in places]
    said = [
        (a.transaction_id, a.decision, a.duplicate, ours.features[place].transaction_id)
        == (b.transaction_id, b.decision, b.duplicate, theirs.features[place].transaction_id)
        for place, (a, b) in zip(places, pairs, strict=True)
    ]
    return Parity(
        rows=len(places),
        duplicates=sum(a.duplicate for a, _ in pairs),
        unequal_columns={DEFAULT.names[column]: float(difference[:, column].max()) for column in unequal},
        largest_score_difference=max(abs(a.score - b.score) for a, b in pairs),
        other_verdicts=said.count(False),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--modes", nargs="+", default=list(get_args(Mode)), choices=get_args(Mode))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    messages = hard_messages(arguments.events)
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack") as stack:
        folder = Path(name)
        promote_model(stack.redis_url, REDIS_PREFIX, folder)

        def output(prefix: str, start: Callable[[Place], Worker]) -> Output:
            place = Place(stack.broker, stack.redis_url, TopicNames(f"{prefix}."), folder)
            create_topics(stack.broker, place.topics, partitions=4)
            return output_of(start(place), place, messages)

        ours = output("ours", scoring_worker)
        found = {mode: compare(ours, output(mode, partial(kafka_streams_worker, mode))) for mode in arguments.modes}
    if arguments.json:
        print(json.dumps({mode: asdict(parity) for mode, parity in found.items()}))
    for mode, parity in found.items() if not arguments.json else ():
        unequal = parity.unequal_columns
        print(
            f"{mode:<14}{parity.rows:,} rows, {parity.duplicates} duplicates; {len(unequal)} of {len(DEFAULT)} columns "
            f"not bit-equal {unequal or ''}; scores within {parity.largest_score_difference:.1e}; "
            f"{parity.other_verdicts} other verdicts"
        )
    sys.exit(0 if all(parity.holds for parity in found.values()) else 1)


if __name__ == "__main__":
    main()
