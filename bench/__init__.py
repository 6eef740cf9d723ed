"""Measurements of the hot paths, each beside a baseline of the same run; `make bench` prints them.

workload (what is scored) -> worker (a process under measurement) -> traffic (what goes through it; profiles: those
that another round's watch made) -> bench_*.py (one hot path each); peers/ holds the baselines.
"""

import os

# Idle OpenMP threads must not spin while broker and worker share the cores: it makes a fit ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
