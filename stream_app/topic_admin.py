"""Creates the topics with their settings, and tells what a broker has."""

import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigEntry, ConfigResource, NewTopic, ResourceType
from confluent_kafka.admin import TopicDescription as BrokerTopicDescription

from models.access.kafka_refusal import KafkaRefusal, silence
from models.access.kafka_settings import KafkaSettings, confluent_settings, settings_error
from models.errors import FraudstreamError
from models.schema.topics import DEFAULT_PARTITIONS, TOPICS, TopicNames

REQUEST_S: Final = 15.0
LOOK_S: Final = 0.5
"""How long one look for a broker waits before what the client was told meanwhile is heard."""
LEADERS_S: Final = 30.0
POLL_S: Final = 0.05

logger = logging.getLogger(__name__)

_Asked = TypeVar("_Asked", bound=Hashable)


class BrokerUnreachableError(FraudstreamError):
    """Raised when no broker answers at the address."""


class BrokerRefusedError(FraudstreamError):
    """Raised when a broker answers and refuses this process: its password, its certificate or its protocol."""


class AccessDeniedError(FraudstreamError):
    """Raised when the broker knows who asks and does not allow it."""


class UnknownTopicError(FraudstreamError):
    """Raised when the broker has no such topic."""


class TopicMismatchError(FraudstreamError):
    """Raised when a topic is there already with another number of partitions."""


class TopicRefusedError(FraudstreamError):
    """Raised when the broker refuses to create a topic."""


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the broker has it.

    `topic_id` tells a recreated topic from the one before, though both have the same name. A `retention_ms` of -1 is
    for ever.
    """

    name: str
    topic_id: str
    partitions: int
    retention_ms: int
    cleanup_policy: str


def admin_client(broker: str, refusal: KafkaRefusal | None = None) -> AdminClient:
    """Return a client for administration; it connects when it is first asked something.

    Parameters
    ----------
    refusal: is told why no connection is made.

    Raises
    ------
    KafkaSettingsError: librdkafka does not take the settings.
    """
    settings = {"socket.timeout.ms": int(REQUEST_S * 1000), **confluent_settings(broker)}
    if refusal is not None:
        settings["error_cb"] = refusal
    try:
        # Failed connections go to the log of this module, not to stderr: callers get an error that names the address.
        return AdminClient(settings, logger=logger)
    except KafkaException as error:
        raise settings_error(error.args[0].str()) from None


def require_broker(broker: str, timeout_s: float = 10.0) -> AdminClient:
    """Return a client once the broker has answered.

    Raises
    ------
    BrokerUnreachableError
        When it has not within `timeout_s`.
    BrokerRefusedError
        When it refuses this process, as soon as it says so.
    """
    refusal = KafkaRefusal()
    admin = admin_client(broker, refusal)
    until_s = time.monotonic() + timeout_s
    while True:
        try:
            admin.list_topics(timeout=max(0.01, min(LOOK_S, until_s - time.monotonic())))
            return admin
        except KafkaException as error:
            reason = error.args[0].str()
        admin.poll(0)
        if refusal.text is not None:
            raise BrokerRefusedError(f"the Kafka broker at {broker} is not to be used so: {refusal.text}")
        if time.monotonic() >= until_s:
            raise BrokerUnreachableError(silence(broker, timeout_s, reason))


def ask(broker: str, question: Callable[[AdminClient], Mapping[_Asked, "Future[Any]"]]) -> dict[_Asked, Any]:
    """Ask a broker something and return what it says of each: a result, or the KafkaException in place of one.

    The client is dropped here, in the caller's thread, once all is answered. Dropped before, its futures are answered
    by nobody. And an answer that is raised holds on to every frame below, in a circle that the garbage collector frees
    in whatever thread it runs: in the client's own one, where the next answer arrives, librdkafka ends the process. So
    no frame that knows the client may see an answer raised.

    Raises
    ------
    BrokerUnreachableError, BrokerRefusedError: see `require_broker`.
    """
    admin = require_broker(broker)
    futures = question(admin)
    unanswered = wait(futures.values(), timeout=2 * REQUEST_S).not_done
    del admin
    if unanswered:
        raise BrokerUnreachableError(f"the Kafka broker at {broker} has not answered within {2 * REQUEST_S:g} s")
    return {asked: future.exception() or future.result() for asked, future in futures.items()}


def create_topics(
    broker: str,
    names: TopicNames | None = None,
    partitions: int = DEFAULT_PARTITIONS,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    only: Collection[str] | None = None,
) -> list[str]:
    """Create the topics that are not there yet and wait until every partition has a leader.

    Parameters
    ----------
    names
        The prefix; none by default.
    partitions
        Partitions of the topics that leave their count open.
    overrides
        Settings beside or instead of the usual ones: bare topic name -> setting -> value.
    only
        Bare names of the topics to create; all by default.

    Returns
    -------
    list[str]
        Full names of the topics that were created now.

    Raises
    ------
    TopicMismatchError
        When a topic is there with another number of partitions.
    """
    names = names or TopicNames()
    overrides = overrides or {}
    wanted = {
        names.of(bare): NewTopic(
            names.of(bare),
            num_partitions=topic.partitions or partitions,
            replication_factor=1,
            config=topic.settings() | dict(overrides.get(bare, {})),
        )
        for bare, topic in TOPICS.items()
        if only is None or bare in only
    }
    created = _create(broker, wanted)
    _await_leaders(broker, {name: topic.num_partitions for name, topic in wanted.items()})
    return created


def _create(broker: str, wanted: Mapping[str, NewTopic]) -> list[str]:
    answers = ask(broker, lambda admin: admin.create_topics(list(wanted.values()), request_timeout=REQUEST_S))
    for name, answer in answers.items():
        if isinstance(answer, KafkaException) and answer.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise TopicRefusedError(f"the broker refuses to create topic {name}: {answer.args[0].str()}") from answer
    return [name for name, answer in answers.items() if answer is None]


def _await_leaders(broker: str, partitions: Mapping[str, int]) -> None:
    admin = require_broker(broker)
    until = time.monotonic() + LEADERS_S
    missing = set(partitions)
    while missing:
        present = admin.list_topics(timeout=REQUEST_S).topics
        for name in list(missing):
            found = present[name].partitions if name in present else {}
            if found and all(one.leader >= 0 for one in found.values()):
                _require_count(name, len(found), partitions[name])
                missing.discard(name)
        if missing and time.monotonic() > until:
            raise TopicRefusedError(f"topics without a leader on {broker} after {LEADERS_S:g} s: {sorted(missing)}")
        if missing:
            time.sleep(POLL_S)


def _require_count(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise TopicMismatchError(
            f"topic {name} has {found} partitions, not {wanted}: ask for {found}, or take another topic prefix"
        )


def describe_topics(broker: str, topics: Iterable[str]) -> dict[str, TopicDescription]:
    """Return what the broker has under each full topic name.

    Raises
    ------
    UnknownTopicError
        When it has no topic of a name.
    """
    asked = list(topics)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in asked]

    def question(admin: AdminClient) -> dict[tuple[str, str], "Future[Any]"]:
        described = admin.describe_topics(TopicCollection(asked), request_timeout=REQUEST_S)
        configured = admin.describe_configs(resources, request_timeout=REQUEST_S)
        return {("topic", name): future for name, future in described.items()} | {
            ("settings", resource.name): future for resource, future in configured.items()
        }

    answers = ask(broker, question)
    return {name: _description(broker, name, answers["topic", name], answers["settings", name]) for name in asked}


def _description(
    broker: str,
    name: str,
    topic: BrokerTopicDescription | KafkaException,
    settings: Mapping[str, ConfigEntry] | KafkaException,
) -> TopicDescription:
    if isinstance(topic, KafkaException):
        raise _refused(broker, name, topic)
    if isinstance(settings, KafkaException):
        raise _refused(broker, name, settings)
    return TopicDescription(
        name=name,
        topic_id=str(topic.topic_id),
        partitions=len(topic.partitions),
        retention_ms=int(settings["retention.ms"].value or -1),
        cleanup_policy=settings["cleanup.policy"].value or "",
    )


def _refused(broker: str, name: str, answer: KafkaException) -> Exception:
    code = answer.args[0].code()
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return UnknownTopicError(
            f"{broker} has no topic {name}; create it with `fraudstream stack topics`, or check --topic-prefix"
        )
    if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return AccessDeniedError(
            f"user {KafkaSettings.read().user} may not look at topic {name}: it has no DESCRIBE or no "
            "DESCRIBE_CONFIGS there; `fraudstream access kafka` prints what each process needs"
        )
    return answer


def delete_topics(broker: str, topics: Iterable[str]) -> None:
    """Delete topics by full name and wait until the broker no longer lists them."""
    asked = list(topics)
    for answer in ask(broker, lambda admin: admin.delete_topics(asked, request_timeout=REQUEST_S)).values():
        if isinstance(answer, KafkaException):
            raise answer
    admin = require_broker(broker)
    until = time.monotonic() + LEADERS_S
    while set(asked) & set(admin.list_topics(timeout=REQUEST_S).topics):
        if time.monotonic() > until:
            raise TopicRefusedError(f"topics still there on {broker} {LEADERS_S:g} s after their deletion: {asked}")
        time.sleep(POLL_S)
