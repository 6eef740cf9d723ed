"""What the broker shows of a round: its own CPU time, the batches that were scored, and the bytes of each topic."""

from typing import Final

import psutil
from confluent_kafka import Consumer, TopicPartition

from models.schema.topics import FEATURES, SCORES, TRANSACTIONS, TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.state import StackState

TOPICS: Final = (TRANSACTIONS, SCORES, FEATURES)
ANSWER_S: Final = 10.0


class BrokerSide:
    """One set of topics, as the broker of a running stack has it.

    Parameters
    ----------
    stack: a running one.
    topics: what is looked at.
    partitions: that `features` has.
    """

    def __init__(self, stack: LocalStack, topics: TopicNames, partitions: int) -> None:
        state = StackState.read(stack.data_folder)
        assert state is not None
        self._process = psutil.Process(state.kafka_pid)
        self._stack, self._topics, self._partitions = stack, topics, partitions

    def cpu_s(self) -> float:
        """CPU seconds that the broker has taken so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def batches(self) -> int:
        """How many batches were scored so far, by the records of feature rows.

        Each batch of 256 transactions or more writes one; smaller ones share, and are counted as one.
        """
        reader = Consumer({"bootstrap.servers": self._stack.broker, "group.id": "none", "log_level": 0})
        try:
            return sum(
                reader.get_watermark_offsets(TopicPartition(self._topics.features, partition), timeout=ANSWER_S)[1]
                for partition in range(self._partitions)
            )
        finally:
            reader.close()

    def stored_bytes(self) -> dict[str, int]:
        """Bytes on the broker's disk by topic, bare names: one copy, without what was deleted."""
        logs = {name: self._stack.data_folder.rglob(f"{self._topics.of(name)}-*/*.log") for name in TOPICS}
        return {name: sum(file.stat().st_size for file in files) for name, files in logs.items()}
