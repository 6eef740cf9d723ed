"""Bytewax with ONNX, batch by batch as its Kafka source polls them; runs in the peers' environment.

`python -m bytewax.run bench.peers.bytewax_flow:flow`
"""

import os
from collections.abc import Iterator
from itertools import groupby

from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow

from bench.peers.job import Job

PREFIX, BROKERS = os.environ["TOPIC_PREFIX"], [os.environ["BROKER"]]
job = Job.handed_over("bytewax")


def scored(batch: list[KafkaSourceMessage[bytes, bytes]]) -> Iterator[KafkaSinkMessage[bytes, bytes]]:
    """The feature row goes by the key of one of its cards, which leads to the partition of all of them."""
    for partition, grouped in groupby(batch, lambda message: message.partition):
        messages = list(grouped)
        output = job.output(
            partition, [message.offset for message in messages], [message.value for message in messages]
        )
        for key, value in output.scores:
            yield KafkaSinkMessage(key, value, topic=f"{PREFIX}scores")
        yield KafkaSinkMessage(output.scores[0][0], output.features, topic=f"{PREFIX}features")


flow = Dataflow("bytewax")
source = KafkaSource(BROKERS, [f"{PREFIX}transactions"])
sink = KafkaSink(BROKERS, None, add_config={"partitioner": "murmur2_random", "message.max.bytes": "8000000"})
op.output("send", op.flat_map_batch("score", op.input("receive", flow, source), scored), sink)
