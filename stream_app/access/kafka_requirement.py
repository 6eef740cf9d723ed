"""Refuses to start without a right: a missing one shows now, with its name, and not in the middle of the work."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation

from models.access.kafka_settings import KafkaSettings
from models.schema.topics import TopicNames
from stream_app.access.kafka_rights import KAFKA_RIGHTS
from stream_app.topic_admin import REQUEST_S, AccessDeniedError, ask, describe_topics


def require_access(
    broker: str, process: str, names: TopicNames, needed: Iterable[str], group: str | None = None
) -> None:
    """Return once the topics are there and this process may do with them what its kind does.

    Parameters
    ----------
    process: its kind, of KAFKA_RIGHTS.
    needed: full names of topics.
    group: consumer group that it commits in.

    Raises
    ------
    BrokerUnreachableError, BrokerRefusedError, UnknownTopicError, AccessDeniedError: with the remedy on one line.
    """
    asked = list(needed)
    describe_topics(broker, asked)
    wanted = {
        (right.name, right.operation)
        for right in KAFKA_RIGHTS[process].rights(names)
        if right.resource == "TOPIC" and right.name in asked
    }
    answers = ask(
        broker,
        lambda admin: admin.describe_topics(
            TopicCollection(asked), include_authorized_operations=True, request_timeout=REQUEST_S
        ),
    )
    for name, answer in answers.items():
        if isinstance(answer, KafkaException):
            raise answer
        allowed = {operation.name for operation in answer.authorized_operations or AclOperation}
        for topic, operation in sorted(wanted):
            if topic == name and operation not in allowed:
                raise _denied(f"{operation} on topic {name}", process)
    if group is not None and "READ" not in _group_operations(broker, group):
        raise _denied(f"READ on consumer group {group}", process)


def _group_operations(broker: str, group: str) -> set[str]:
    """What this process may do with a group; everything, where the broker cannot say yet: the worker waits for it."""
    answer = ask(
        broker,
        lambda admin: admin.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=REQUEST_S
        ),
    )[group]
    if isinstance(answer, KafkaException):
        refused = answer.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED
        return set() if refused else set(AclOperation.__members__)
    return {operation.name for operation in answer.authorized_operations or AclOperation}


def _denied(what: str, process: str) -> AccessDeniedError:
    return AccessDeniedError(
        f"user {KafkaSettings.read().user} has no {what}, which `fraudstream {process}` needs; `fraudstream access "
        "kafka` prints all that it needs and grants it with --apply"
    )
