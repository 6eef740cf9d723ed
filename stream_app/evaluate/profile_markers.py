"""How young the youngest label was when a profile step used it, as the step's own marker says."""

from confluent_kafka import Consumer, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.terminal_profile import MARKER_KEY, ProfileMarker
from models.schema.topics import TopicNames

_ANSWER_S = 10.0


class MarkerError(FraudstreamError):
    """Raised when the last record of `profiles` is not the marker of the step that was just applied."""


class ProfileMarkers:
    """Looks at the end of `profiles` after each step."""

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._topic = topics.profiles
        self._consumer = Consumer(
            {**confluent_settings(broker), "group.id": "evaluate", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
        )
        self.youngest_age_ms: int | None = None
        """Smallest age of any fraud label at a step that used it."""

    def see_step(self, as_of: int) -> None:
        """Read the marker that ends a step."""
        _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=_ANSWER_S, cached=False)
        self._consumer.assign([TopicPartition(self._topic, 0, end - 1)])
        message = self._consumer.poll(_ANSWER_S)
        if message is None or message.error() or message.key() != MARKER_KEY:
            raise MarkerError(f"{self._topic} does not end with the marker of step {as_of}: is another keeper writing?")
        marker = wire.decode(ProfileMarker, message.value() or b"")
        if marker.as_of != as_of:
            raise MarkerError(f"{self._topic} ends with step {marker.as_of}, not {as_of}: is another keeper writing?")
        if marker.youngest_label_event_time is not None:
            age_ms = as_of - marker.youngest_label_event_time
            self.youngest_age_ms = age_ms if self.youngest_age_ms is None else min(age_ms, self.youngest_age_ms)

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()
