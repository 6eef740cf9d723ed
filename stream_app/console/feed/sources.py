"""The kinds of events that the feed follows: topic, how many are kept, how a record is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from confluent_kafka import Message

from models.schema import topics as t
from models.schema import wire
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.model_event import ModelEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A topic of few and precious records, all of which are told.

    Parameters
    ----------
    kind: name of the journal and of the server-sent events.
    topic: bare name.
    keep: records that are kept, and read at the start.
    tell: record -> what JSON can say; RecordError or CloudEventError for what is none.
    """

    kind: str
    topic: str
    keep: int
    tell: Callable[[Message], Told]


def _cloud_event(record: type[msgspec.Struct]) -> Callable[[Message], Told]:
    def tell(message: Message) -> Told:
        context = CloudEvent.read(message.headers())  # type: ignore[arg-type]  # its stubs allow a dict as well
        data: dict[str, Any] = msgspec.to_builtins(wire.decode(record, message.value() or b""))
        return data | {"event": msgspec.to_builtins(context)}

    return tell


SOURCES: Final = (
    Source("performance", t.PERFORMANCE, 2_000, _cloud_event(Performance)),
    Source("drift", t.DRIFT_EVENTS, 2_000, _cloud_event(DriftEvent)),
    Source("statistics", t.DRIFT_STATISTICS, 500, _cloud_event(DriftStatistics)),
    Source("request", t.RETRAIN_REQUESTS, 500, _cloud_event(RetrainRequest)),
    Source("model", t.MODEL_EVENTS, 2_000, _cloud_event(ModelEvent)),
)
