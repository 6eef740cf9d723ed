"""Measurements of the hot paths, each beside a baseline of the same run; `make bench` prints them.

workload (what is scored) -> worker (a process under measurement) -> traffic (what goes through it; profiles: those
that another round's watch made) -> bench_*.py (one hot path each); peers/ holds the baselines. live_traffic and
bad_models: a bank at a fixed rate, and models that go wrong on it.
"""

import os

# Idle OpenMP threads must not spin while broker and worker share the cores: it makes a fit ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
