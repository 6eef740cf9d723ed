"""Says, now and then, that a producer partitions otherwise than the rest of the system."""

import logging

from models.schema.hashing import hash64
from stream_app.scoring.record_batch import Scored

log = logging.getLogger(__name__)

NOTICE_EVERY_S = 60.0


class MisroutingNotice:
    """One log line a minute and partition, with how many it was since the last and one card's hash as an example.

    Why: with another partitioner than murmur2 a card's transactions lie on two partitions, and each has half a history.
    """

    def __init__(self) -> None:
        self._since: dict[int, int] = {}
        self._said_at_s: dict[int, float] = {}

    def see(self, partition: int, scored: Scored, now_s: float) -> None:
        """Take note of a scored batch."""
        if scored.misrouted_card is None:
            return
        self._since[partition] = self._since.get(partition, 0) + scored.misrouted
        if now_s - self._said_at_s.get(partition, -NOTICE_EVERY_S) < NOTICE_EVERY_S:
            return
        self._said_at_s[partition] = now_s
        log.warning(
            "partition %d: %d transactions of cards that belong on other partitions (one has the card hash %016x): "
            "their windows "
            "are split, their scores marked degraded; have their producer partition by murmur2 of card_id",
            partition,
            self._since.pop(partition),
            hash64(scored.misrouted_card),
            extra={"partition": partition},
        )
