"""Quix Streams with ONNX: one event at a time, as its dataframe hands them over; runs in the peers' environment."""

import os
from pathlib import Path
from typing import Any

from quixstreams import Application, message_context

from bench.peers.job import ONE_BY_ONE, Job, Output

PREFIX = os.environ["TOPIC_PREFIX"]
job = Job.handed_over("quix", gather=ONE_BY_ONE)
app = Application(
    os.environ["BROKER"],
    consumer_group=f"{PREFIX}quix",
    auto_offset_reset="earliest",
    auto_create_topics=False,
    state_dir=Path(os.environ["DATADIR"]),
    loglevel="ERROR",
)
transactions, scores, features = (
    app.topic(
        PREFIX + name,
        key_serializer="bytes",
        key_deserializer="bytes",
        value_serializer="bytes",
        value_deserializer="bytes",
    )
    for name in ("transactions", "scores", "features")
)


def scored(value: bytes, _key: Any, _timestamp: int, _headers: Any) -> Output:
    context = message_context()
    return job.output(context.partition, [context.offset], [value])


if __name__ == "__main__":
    made = app.dataframe(transactions).apply(scored, metadata=True)
    made.apply(lambda output: output.scores[0][1]).to_topic(scores)
    made.filter(lambda output: output.features is not None).apply(lambda output: output.features).to_topic(features)
    app.run()
