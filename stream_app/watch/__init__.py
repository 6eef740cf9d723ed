"""The process `fraudstream watch`: keeps the terminal profiles from what was scored and what was labelled.

Pure: `event_clock` (when a step closes), `source_positions` (reader's rule over feature rows), `keeper` (both around
the counts). Around it: `lease` (one active keeper), `intake` (Kafka in), `profile_publisher` and `dead_letters`
(Kafka out), `keeper_checkpoint`, `run` (one intake from bytes to acknowledged step), `app` (the Faust app), `gauges`
(Prometheus).
"""
