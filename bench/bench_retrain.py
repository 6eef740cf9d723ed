"""One try of `fraudstream retrain`: wall time and memory from pinned tables to a verdict and a signed bundle.

It is the process that the retrainer starts, on all cores and behind whatever else asks for them. Beside it, in this
process and on all cores, one plain fit of scikit-learn's HistGradientBoostingClassifier on the same rows: the
least that anyone pays for a model.
"""

import argparse
import contextlib
import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from sklearn.ensemble import HistGradientBoostingClassifier

from bench.archived_days import MATURITY_DAYS, ArchivedDays, write_days
from bench.retrain_beside import beside_a_worker
from models.gate.limits import GateLimits
from models.retraining.plan import RetrainPlan
from models.schema.retrain_request import RetrainCause, RetrainRequest
from models.signing import SigningKey
from stream_app.archive.history import ArchivedHistory
from stream_app.retrain.making import ArchiveMaking
from stream_app.retrain.trainer import Trainer
from stream_app.retrain.training_order import BundleParts, TrainingOrder, TrainingOutcome
from stream_app.retrain.training_set import TrainingSet
from stream_app.stack.server_process import ServerProcess

LONGEST_S: Final = 900.0
LIMITS: Final = GateLimits(falls_with_amount=1.0, loss_of_value_detection=1.0)
"""Whoever tests cards here pays little, so amounts speak now for fraud and now against it; a candidate that failed for
that would be measured without the fits that follow a pass."""
POLL_S: Final = 0.05


def order_of(days: ArchivedDays, folder: Path) -> TrainingOrder:
    """The order that a retrainer would give."""
    cause: RetrainCause = "schedule" if days.changed_at is None else "drift"
    request = RetrainRequest(
        request_id="bench", cause=cause, incident=None if days.changed_at is None else "bench", number=1,
        model_version=days.champion.version, as_of=days.as_of, changed_at=days.changed_at, frauds_since_change=0,
        reason="bench", actor="bench", table_versions=days.versions,
    )  # fmt: skip
    making = ArchiveMaking(
        request=request,
        as_of=days.as_of,
        table_versions=days.versions,
        fitted_until={days.champion.version: days.champion.manifest.data.to_event_time},
        maturity_days=MATURITY_DAYS,
        train_from=days.first_day,
        plan=RetrainPlan(),
        limits=LIMITS,
    )
    return TrainingOrder(
        making=making,
        champion=BundleParts.of(days.champion),
        archive_url=days.url,
        signing_key=str(folder / "signing-key.pem"),
        allowed_signers=str(folder / "allowed-signers"),
        code_commit="bench",
    )


def train(order: TrainingOrder, folder: Path) -> tuple[TrainingOutcome, float, float, float]:
    """Return the outcome, wall and CPU seconds, and the most resident memory in MB."""
    trainer = Trainer(folder / "training" / "bench", {}, LONGEST_S)
    began_s = time.perf_counter()
    trainer.start(order)
    peak, cpu_s = 0, 0.0
    process = ServerProcess("training", folder / "training" / "bench", tethered=True)
    while (outcome := trainer.outcome()) is None:
        identity = process.identity()
        with contextlib.suppress(psutil.NoSuchProcess):
            running = None if identity is None else identity.running()
            if running is not None:
                peak = max(peak, running.memory_info().rss)
                cpu_s = sum(running.cpu_times()[:2])
        time.sleep(POLL_S)
    return outcome, time.perf_counter() - began_s, cpu_s, peak / 1e6


def plain_fit_s(days: ArchivedDays) -> tuple[int, float]:
    """Rows that a retrain learns from, and seconds of one fit on them."""
    with ArchivedHistory(days.url, days.versions) as history:
        rows = TrainingSet(history, days.as_of, MATURITY_DAYS, days.first_day).read(20.0, {}).rows
    began_s = time.perf_counter()
    HistGradientBoostingClassifier(max_iter=120, learning_rate=0.05, early_stopping=False).fit(
        rows.values, rows.is_fraud
    )
    return len(rows), time.perf_counter() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_500_000)
    parser.add_argument(
        "--change", action="store_true", help="a new tactic: an incident's retrain instead of a scheduled"
    )
    parser.add_argument("--folder", type=Path, help="keep the simulated archive here, and use it again")
    parser.add_argument("--without-baseline", action="store_true")
    parser.add_argument("--beside", action="store_true", help="a worker meanwhile scores all that it can")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        key = SigningKey.load_or_create(folder / "signing-key.pem")
        key.publish(folder / "allowed-signers")
        days = _days(folder, key, arguments.rows, changes=arguments.change)
        order = order_of(days, folder)
        beside = beside_a_worker(lambda: train(order, folder)) if arguments.beside else None
        outcome, wall_s, cpu_s, peak_mb = train(order, folder) if beside is None else beside.outcome
        log = (folder / "training" / "bench" / "training.log").read_text()
        rows, fit_s = (None, None) if arguments.without_baseline else plain_fit_s(days)
    found = {
        "rows": rows, "wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb, "plain_fit_s": fit_s,
        "plain_fits": fit_s and wall_s / fit_s, "verdict": outcome.gate.verdict if outcome.gate else outcome.error,
        "released": outcome.bundle is not None, "cores": len(os.sched_getaffinity(0)), "steps": log.splitlines(),
        "worker_alone": beside and beside.alone, "worker_beside": beside and beside.beside,
        "worker_keeps": beside and beside.kept,
    }  # fmt: skip
    print(json.dumps(found) if arguments.json else _text(found))


def _days(folder: Path, key: SigningKey, rows: int, *, changes: bool) -> ArchivedDays:
    kept = folder / f"days-{rows}-{changes}"
    record = kept / "bench.json"
    if not record.exists():
        days = write_days(kept / "archive", key, rows, changes=changes)
        champion = BundleParts.of(days.champion)
        rest = {name: getattr(days, name) for name in ("url", "versions", "first_day", "as_of", "changed_at")}
        record.write_bytes(msgspec.json.encode({"champion": champion, **rest}))
    known = msgspec.json.decode(record.read_bytes())
    champion = msgspec.convert(known.pop("champion"), BundleParts, builtin_types=(), strict=False)
    return ArchivedDays(champion=champion.whole(), **known)


def _text(found: dict[str, Any]) -> str:
    shown = [re.sub(r"^\S+ ", "", line) for line in found["steps"]]
    return "\n".join(
        [
            *shown,
            f"in all {found['wall_s']:.1f} s, {found['cpu_s']:.1f} CPU s, at most {found['peak_mb']:,.0f} MB; "  # noqa: ISC003
            + f"{found['verdict']}",
            *([_baseline(found)] if found["rows"] else []),
            *([f"the worker beside it keeps {100 * found['worker_keeps']:.0f} %"] if found["worker_keeps"] else []),
        ]
    )


def _baseline(found: dict[str, Any]) -> str:
    return (
        f"one plain fit of {found['rows']:,} rows on {found['cores']} cores: {found['plain_fit_s']:.1f} s; "
        f"ratio {found['plain_fits']:.1f}"
    )


if __name__ == "__main__":
    main()
