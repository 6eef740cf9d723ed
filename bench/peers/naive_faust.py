"""The naive Faust agent: Faust's own consumer, one event at a time, the model called for each.

With scikit-learn's predict_proba, or with ONNX: `python -m bench.peers.naive_faust predict_proba|onnx`.
"""

import os
import sys

import faust
from faust.types import StreamT

from bench.peers.job import ONE_BY_ONE, Job, predict_proba

PREFIX = os.environ["TOPIC_PREFIX"]
job = Job.handed_over("naive", predict_proba() if sys.argv[1] == "predict_proba" else None, ONE_BY_ONE)
app = faust.App(
    f"{PREFIX}naive",
    broker=f"kafka://{os.environ['BROKER']}",
    value_serializer="raw",
    key_serializer="raw",
    web_enabled=False,
    store="memory://",
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    datadir=os.environ["DATADIR"],
)
transactions = app.topic(f"{PREFIX}transactions", value_type=bytes, key_type=bytes)
scores = app.topic(f"{PREFIX}scores", value_type=bytes, key_type=bytes)
features = app.topic(f"{PREFIX}features", value_type=bytes, key_type=bytes)


@app.agent(transactions)
async def score(stream: StreamT[bytes]) -> None:
    async for event in stream.events():
        message = event.message
        output = job.output(message.partition, [message.offset], [message.value])
        for key, value in output.scores:
            await scores.send(key=key, value=value, partition=message.partition)
        if output.features is not None:
            await features.send(key=None, value=output.features, partition=message.partition)


if __name__ == "__main__":
    sys.argv = ["naive_faust", "worker", "-l", "error", "--without-web"]
    app.main()
