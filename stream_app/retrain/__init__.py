"""`fraudstream retrain`: takes retrain requests, trains, gates, and brings what passed into use.

- `job`, `report`: a request on its way, and what became of it; `retrain_store`, a `state_store`, keeps both in Redis.
- `worker`: from step to step. `request_source`, `graveyard`, `verdict_events`: what it reads and what it sends.
- `training_set`: the archive's rows. `making`: what a model is made from. `training`: one try by itself.
- `training_order`, `training_process`, `trainer`: the same in a process of its own.
- `run`, `settings`, `gauges`: the worker's process. `release`: the release loop beside it.
"""
