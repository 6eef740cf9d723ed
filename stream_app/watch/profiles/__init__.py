"""The profile keeper: terminal profiles from what was scored and what was labelled.

Pure: `source_positions` (reader's rule over feature rows), `keeper` (it, the event clock and the counts). Around it:
`intake` and `consumer` (Kafka in), `profile_publisher` (Kafka out), `published_terminals`, `keeper_checkpoint`, `run`
(one intake from bytes to acknowledged step), `service` (lease and connections), `gauges` (Prometheus).
"""
