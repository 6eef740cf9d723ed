"""The release loop as a part of the retrain worker: what the policy of `models.release` decides is carried out here.

- `release_state`: where the state lies. `paired_rows` and `feature_log`: what the scorers say of two models.
- `matured_rows` and `matured_verdicts`: what the archive says of them once labels are mature.
- `settings`, `held_lease`, `watermarks`: what it is started with, who may act, where topics end.
- `announcer` and `executor`: events and actions, each safe to repeat. `runner`: the loop.
"""
