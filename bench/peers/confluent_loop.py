"""A plain confluent-kafka loop with ONNX: consume a batch, score each partition of it, produce, commit."""

import os
from itertools import groupby

from confluent_kafka import Consumer, KafkaException, Message, Producer

from bench.peers.job import Job

PREFIX = os.environ["TOPIC_PREFIX"]
BATCH = 2_000
WAIT_S = 0.005
"""`consume` waits so long for a batch to fill; what comes meanwhile waits with it."""


def main() -> None:
    broker = {"bootstrap.servers": os.environ["BROKER"]}
    consumer = Consumer({**broker, "group.id": f"{PREFIX}loop", "auto.offset.reset": "earliest"})
    producer = Producer({**broker, "linger.ms": 1, "message.max.bytes": 8_000_000})
    consumer.subscribe([f"{PREFIX}transactions"])
    job = Job.handed_over("loop")
    while True:
        received = sorted(map(taken, consumer.consume(BATCH, WAIT_S)))
        for partition, grouped in groupby(received, lambda message: message[0]):
            _, offsets, values = zip(*grouped, strict=True)
            output = job.output(partition, offsets, values)
            for key, value in output.scores:
                producer.produce(f"{PREFIX}scores", value, key, partition)
            producer.produce(f"{PREFIX}features", output.features, partition=partition)
        producer.poll(0)


def taken(message: Message) -> tuple[int, int, bytes]:
    """Partition, offset and value."""
    error = message.error()
    if error is not None:
        raise KafkaException(error)
    return message.partition() or 0, message.offset() or 0, message.value() or b""


if __name__ == "__main__":
    main()
