"""The process `fraudstream archive`, and how its tables are read back.

Reading: `history` (what was scored on a day, as known at a moment), `scored_view` (the query behind it), `table_files`
(one table at one version). Writing, pure: `records` and `intake` (Kafka's bytes to columns), `json_columns`,
`feature_columns`, `reader_rule` (which scores count), `watermark` (how far the tables are complete). Around it:
`tables` (names and columns), `delta_table` and `positions` (rows and offsets in one commit), `source` (Kafka in),
`outbox` (Kafka out), `compactor` (small files), `archiver` (all of it in order), `run` (the process), `settings`,
`gauges` (Prometheus).
"""
