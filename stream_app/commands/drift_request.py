"""`fraudstream drift request`: a person asks for a retrain."""

import secrets

import click
from confluent_kafka import Producer

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.registry import CHAMPION, Registry
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import event_id
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import TopicNames
from stream_app.archive.outbox import Outbox
from stream_app.commands.connection import connection_options, redis_prefix_option, topic_prefix_option
from stream_app.commands.model_options import actor_option, reason_option
from stream_app.retrain.request_entry import request_entry
from stream_app.telemetry.traces import sending, trace_headers, trace_if_wanted
from stream_app.topic_admin import describe_topics
from stream_app.watch.history.announcement import Announcement, of_request

_ANSWER_S = 15.0


class RequestRefusedError(FraudstreamError):
    """Raised when a request cannot be made."""


@click.command(name="request")
@connection_options
@topic_prefix_option
@redis_prefix_option
@actor_option
@reason_option
def request_command(
    broker: str, redis_url: str, topics: TopicNames, redis_prefix: str, actor: str, reason: str
) -> None:
    """Ask for a retrain of the champion on what the archive holds now."""
    describe_topics(broker, [topics.archive_commits, topics.retrain_requests])
    registry = Registry(redis_url, redis_prefix)
    champion = registry.alias(CHAMPION)
    if champion is None:
        raise RequestRefusedError("there is no champion to replace; promote one with `fraudstream models promote`")
    commit = Outbox(broker, topics).last_announcement()
    if commit is None:
        raise RequestRefusedError("nothing is archived yet to train on; start `fraudstream archive`")
    request = _request(champion.version, commit, actor, reason)
    # Before it is sent: a request that nobody answers for must not be on the topic.
    registry.log.append(request_entry(request))
    _send(broker, topics, of_request(request, cause=None))
    click.echo(f"asked for a retrain of {champion.version}: request {request.request_id}")


def _request(champion: str, commit: ArchiveCommit, actor: str, reason: str) -> RetrainRequest:
    return RetrainRequest(
        request_id=event_id("request", "person", actor, secrets.token_hex(8)),
        cause="person",
        incident=None,
        number=1,
        model_version=champion,
        as_of=commit.watermark,
        changed_at=None,
        frauds_since_change=0,
        reason=reason,
        actor=actor,
        table_versions=dict(commit.tables),
    )


def _send(broker: str, topics: TopicNames, announcement: Announcement) -> None:
    failures: list[object] = []
    producer = Producer({**confluent_settings(broker), "enable.idempotence": True})
    trace_if_wanted("request")
    topic, event = topics.of(announcement.topic), announcement.event
    with sending(topic, event_id=event.id, correlation_id=event.correlation_id):
        producer.produce(
            topic,
            announcement.value,
            announcement.key.encode(),
            headers=[*event.headers(), *trace_headers()],
            on_delivery=lambda error, _message: failures.append(error) if error is not None else None,
        )
    if producer.flush(_ANSWER_S) or failures:
        raise RequestRefusedError(f"the broker at {broker} has not taken the request: {failures or 'no answer'}")
