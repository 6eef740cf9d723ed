"""What the watch has found, what was asked for, and what was done with models: the last of it, in sentences."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Message

from models.schema import wire
from models.schema.drift_event import DriftEvent
from models.schema.model_event import ModelEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import TopicNames
from stream_app.top.picture import Finding
from stream_app.top.tail_reader import TailReader

KEPT: Final = 50


class Findings:
    """Follows three topics of one partition each.

    Parameters
    ----------
    reader: of the topics.
    topics: names of the topics.
    """

    def __init__(self, reader: TailReader, topics: TopicNames) -> None:
        self._reader = reader
        self._decoders: Mapping[str, Callable[[Message], Finding]] = {
            topics.drift_events: _of_drift,
            topics.retrain_requests: _of_request,
            topics.model_events: _of_model,
        }
        self._next = dict.fromkeys(self._decoders, 0)
        self._found: deque[Finding] = deque(maxlen=KEPT)

    def latest(self) -> list[Finding]:
        """Return the last ones, the newest first; raises TopicSilentError."""
        fresh: list[Finding] = []
        for topic, decode in self._decoders.items():
            first, end = self._reader.ends(topic, 1)[0]
            begin = max(first, end - KEPT, self._next[topic])
            for message in self._reader.read(topic, {0: (begin, end)}):
                try:
                    fresh.append(decode(message))
                except wire.RecordError:  # somebody else's record
                    continue
            self._next[topic] = end
        self._found.extend(sorted(fresh, key=lambda one: one.at_ms))
        return list(reversed(self._found))


def _of_drift(message: Message) -> Finding:
    event = wire.decode(DriftEvent, _value(message))
    return Finding(message.timestamp()[1], event.level, event.summary)


def _of_request(message: Message) -> Finding:
    request = wire.decode(RetrainRequest, _value(message))
    return Finding(message.timestamp()[1], "retrain", f"asked by {request.actor}: {request.reason}")


def _of_model(message: Message) -> Finding:
    event = wire.decode(ModelEvent, _value(message))
    return Finding(message.timestamp()[1], "model", f"{event.version} {event.kind}: {event.cause}")


def _value(message: Message) -> Any:
    return message.value() or b""
