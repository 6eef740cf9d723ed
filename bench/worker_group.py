"""Scoring workers that share the partitions of one round, measured together."""

import time
from contextlib import ExitStack
from typing import Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bench.peer import Place, scoring_worker
from bench.worker import Worker

DEADLINE_S: Final = 60.0
POLL_S: Final = 0.1


class WorkerGroup:
    """So many `fraudstream score`, entered once each has its share of the partitions.

    Parameters
    ----------
    place: of the round.
    workers: how many.
    partitions: of `transactions`; each worker will have the same number of them.

    Raises
    ------
    TimeoutError: the partitions are not shared out within a minute.
    """

    def __init__(self, place: Place, workers: int, partitions: int) -> None:
        assert partitions % workers == 0
        self._place, self._share = place, partitions // workers
        self.workers: list[Worker] = [scoring_worker(place) for _ in range(workers)]

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            for worker in self.workers:
                entered.enter_context(worker)
            self._await_shares()
            self._entered = entered.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    def cpu_s(self) -> float:
        """CPU seconds that all have taken so far."""
        return sum(worker.cpu_s() for worker in self.workers)

    def memory_bytes(self) -> int:
        """Resident memory of all now."""
        return sum(worker.memory_bytes() for worker in self.workers)

    def _await_shares(self) -> None:
        admin = AdminClient({"bootstrap.servers": self._place.broker, "log_level": 0})
        until, wanted = time.monotonic() + DEADLINE_S, [self._share] * len(self.workers)
        while (found := self._shares(admin)) != wanted:
            for worker in self.workers:
                worker.require_alive()
            if time.monotonic() > until:
                raise TimeoutError(f"partitions are shared out as {found}, not {wanted}, after {DEADLINE_S:.0f} s")
            time.sleep(POLL_S)

    def _shares(self, admin: AdminClient) -> list[int]:
        group = self._place.topics.prefix
        try:
            described = admin.describe_consumer_groups([group])[group].result()
        except KafkaException:  # nobody has joined yet
            return []
        return [len(member.assignment.topic_partitions) for member in described.members if member.assignment]
