"""Everything that the review and transaction pages share in one process, put together from its settings."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from models.access.redis_access import redis_client
from models.registry import Registry
from models.schema.money import default_reporting_currency
from stream_app.acknowledged_producer import AcknowledgedProducer
from stream_app.console.feed.feed import DESK
from stream_app.console.records.archived import ArchivedRecords
from stream_app.console.records.statements import Statement
from stream_app.console.review.case import Case
from stream_app.console.review.claims import Claims
from stream_app.console.review.desk import Desk
from stream_app.console.review.histories import Histories
from stream_app.console.review.intake import Intake, Reach
from stream_app.console.review.verdicts import Verdicts
from stream_app.console.review.worth import Worth
from stream_app.console.settings import ConsoleSettings
from stream_app.console.transaction.search import Search
from stream_app.console.transaction.shelf import ModelShelf
from stream_app.console.transaction.topic_search import TopicSearch

_ANSWER_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Bureau:
    """Made without a connection; `start` begins to read."""

    desk: Desk
    intake: Intake
    claims: Claims
    verdicts: Verdicts
    histories: Histories
    topics: TopicSearch
    search: Search
    shelf: ModelShelf

    @classmethod
    def of(cls, settings: ConsoleSettings, registry: Registry, tell: Callable[[str, Mapping[str, Any]], None]) -> Self:
        """Put it together.

        Parameters
        ----------
        settings: of the process.
        registry: models and audit.
        tell: adds to a journal of the feed; called on the thread that reads.
        """
        desk = Desk(Worth(default_reporting_currency(), settings.review_cost_minor))
        intake = Intake(settings.broker, settings.topics, desk, Reach())
        archive = ArchivedRecords(settings.archive_url, settings.storage_options)
        topics = TopicSearch(settings.broker, settings.topics)
        claims = Claims(redis_client(settings.redis_url), settings.redis_prefix)
        verdicts = Verdicts(
            desk,
            claims,
            registry.log,
            lambda: AcknowledgedProducer(settings.broker, _ANSWER_S),
            settings.topics.labels,
            lambda: time.time_ns() // 1_000_000,
            lambda: str(uuid.uuid4()),
        )

        def told_case(case: Case) -> None:
            if intake.caught_up:
                tell(DESK, {"case": str(case.place)})

        def told_statement(statement: Statement) -> None:
            if intake.caught_up:
                tell(DESK, {"stated": statement.label.transaction_id})

        desk.follow(told_case, told_statement)
        return cls(
            desk,
            intake,
            claims,
            verdicts,
            Histories(desk.recent, archive, desk.holds),
            topics,
            Search(desk.recent, archive, topics, desk.history),
            ModelShelf(registry, settings.signers_folder, settings.archive_url),
        )

    def start(self) -> None:
        """Begin to read Kafka."""
        self.intake.start()

    def stop(self) -> None:
        """Stop reading."""
        self.intake.stop()
        self.claims.client.close()
