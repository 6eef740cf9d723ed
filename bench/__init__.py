"""Measurements of the hot paths, each beside a baseline of the same run; `make bench` prints them.

workload (what is scored) -> worker (a process under measurement) -> traffic (what goes through it; profiles: those
that another round's watch made) -> bench_*.py; `python -m bench` runs them all.
End to end: peer (who is measured; peers/ holds what a user would pick instead) and stage (broker and model) ->
throughput, latency and swap (a round of each; paced_sender and arrivals: both ends; history: a past behind every card)
-> throughput_report, end_to_end_report -> performance_page (docs/performance.md from the JSON; plots: its pictures).
Hot paths: hot_path (a path and its baseline in turn; scored_batch: what comes behind the model).
live_traffic and bad_models: a bank at a fixed rate, and models that go wrong on it.
Scale: card_population and stocked_worker (many cards), worker_group (workers that share partitions) and broker_side
(what the broker shows), for bench_flat, bench_scaling, bench_state, bench_restart and bench_terminals; capacity_figures
(what these found) -> capacity_needs -> capacity_tables and capacity_chart -> capacity, which writes docs/capacity.md.
"""

import os

# Idle OpenMP threads must not spin while broker and worker share the cores: it makes a fit ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
