"""The scoring agent: transactions in, scores and feature batches out, each exactly once by the reader's rule.

settings -> lane (one partition's scoring, no Kafka) -> sink and source (Kafka in and out) -> opening (where to go on)
-> checkpointing -> lineup (the models that score a batch) and profiles (what is followed beside) -> app (the Faust app
that binds them).
"""
