"""Watches the models through the archive: each event day that closes is measured and looked through for drift.

Pure: `feedback` (weeks to publish), `drift` (statistics, warnings, alarms, requests), `schedule` (retrains by the
calendar), `announcement` (a record with its context). Reading: `commit_source` (what the archive announces),
`archived_days` (rows of a day), `references` (what a model says of itself). Around it: `closings` (what was handled, in
the checkpoint store), `publisher` (Kafka out, each id once), `closer` (a day from its rows to its closing), `service`
(lease and connections), `gauges` (Prometheus).
"""
