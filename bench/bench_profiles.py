"""The profile keeper: CPU microseconds per feature row, beside counting rows in a dict; CPU milliseconds per step."""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.hot_path import HotPath
from models.features.feature_set import DEFAULT
from models.features.profile_keeper import MATURITY_MS, STEP_MS, ProfileCounts
from models.schema.feature_batch import FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns, decode_feature_batch
from models.schema.transaction import Transaction
from stream_app.watch.profiles.keeper import ProfileKeeper, compile_kernels

BATCH = 500
BATCHES = 100
START = 70_488 * STEP_MS
TERMINALS = 10_000
STORED = 400_000
STEPS = 20


def messages() -> list[tuple[FeatureBatchHeader, bytes]]:
    """Feature batches of one partition."""
    encoder = FeatureBatchEncoder(DEFAULT.names)
    made = []
    for first in range(0, BATCH * BATCHES, BATCH):
        numbers = range(first, first + BATCH)
        transactions = [
            Transaction(f"tx-{n}", START + 1000 * n, f"c{n % 5000}", f"t{n % TERMINALS}", 100, "EUR") for n in numbers
        ]
        scored = ScoredColumns(
            source_offset=np.arange(first, first + BATCH),
            score=np.zeros(BATCH, np.float32),
            decision=np.zeros(BATCH, np.uint8),
            values=np.zeros((BATCH, len(DEFAULT)), np.float32),
            writer="bench",
            epoch=0,
            role="champion",
            model_version="m-bench",
            profiles_as_of=0,
            recomputed=False,
            verified=True,
        )
        header = FeatureBatchHeader(first, first + BATCH - 1, 0, "bench", "id", DEFAULT.version, recomputed=False)
        made.append((header, encoder.encode(transactions, scored)))
    return made


def us_per_row() -> dict[str, float]:
    """CPU time per feature row: decoded and counted by the keeper; decoded and counted by terminal in a dict."""
    batches = messages()
    keeper = ProfileKeeper(1, MATURITY_MS, idle_after_s=10)
    started = time.process_time()
    for header, message in batches:
        keeper.add_features(0, header, decode_feature_batch(message), now_s=0)
    kept = time.process_time() - started
    counter: Counter[tuple[str, str]] = Counter()
    started = time.process_time()
    for _, message in batches:
        for row in decode_feature_batch(message).table.to_pylist():
            counter[row["terminal_id"], row["decision"]] += 1
    rows = BATCH * BATCHES / 1e6
    return {"keeper_us": kept / rows, "dict_of_rows_us": (time.process_time() - started) / rows}


def step_ms() -> dict[str, float]:
    """CPU time to close a step of 37 days of transactions at 10,000 terminals, and how many profiles it publishes."""
    chance = np.random.default_rng(1)
    times = np.sort(chance.integers(0, 40 * 4 * STEP_MS, STORED)) + START
    terminals = [f"t{number}" for number in chance.integers(0, TERMINALS, STORED)]
    counts = ProfileCounts()
    no = np.zeros(STORED, np.bool_)
    counts.add_scored(times, terminals, [f"tx-{n}" for n in range(STORED)], no, no)
    taken, published = [], []
    for number in range(STEPS):
        started = time.process_time()
        step = counts.close_step(START + (140 + number) * STEP_MS)
        taken.append((time.process_time() - started) * 1000)
        published.append(len(step.changed))
    return {"close_step_ms": statistics.median(taken), "profiles": statistics.median(published)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args(arguments).json
    compile_kernels()
    step = step_ms()
    figures = {**us_per_row(), **step}
    if as_json:
        path = HotPath(
            "profile keeper", figures["keeper_us"], "dict of rows", figures["dict_of_rows_us"], "feature row"
        )
        print(json.dumps({"hot_paths": {path.name: path.figures()}, **step}))
        return
    print(f"feature row: keeper {figures['keeper_us']:.2f} us, dict of rows {figures['dict_of_rows_us']:.2f} us")
    print(f"step: {figures['close_step_ms']:.0f} ms for {figures['profiles']:,.0f} profiles")


if __name__ == "__main__":
    main()
