"""A simulated bank's months in archive tables, with what a champion said of them: what a retrain reads."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.bundle import Bundle
from models.families.catalogue import family
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT, WARM_UP_DAYS
from models.features.history import NO_LABEL, History
from models.manifest import Golden, Manifest, Thresholds
from models.schema.topics import DAY_MS, FEATURES, LABELS, SCORES
from models.signing import SigningKey
from models.training import golden_rows
from models.training_rows import TrainingRows, mature_rows
from producers.simulator.history import history
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX, Phase, TacticScript
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation
from stream_app.archive.delta_table import ArchiveTable
from stream_app.archive.tables import SCHEMAS, TABLES

MATURITY_DAYS: Final = 7
TRAINING_DAYS: Final = 56
CHAMPION_DAYS: Final = 14
"""First days of those, which the champion was fitted on."""
TACTIC_DAYS: Final = 14
"""Mature days since the change, where there is one."""
FLAGGED_SHARE: Final = 0.005
SEED: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class ArchivedDays:
    """What was written.

    Attributes
    ----------
    url: of the archive.
    versions: of its tables.
    champion: fitted on the first days.
    first_day: event day of the first row.
    as_of: event time at which a retrain is asked for, ms.
    changed_at: first moment of a new tactic, ms; None without one.
    """

    url: str
    versions: dict[str, int]
    champion: Bundle
    first_day: int
    as_of: int
    changed_at: int | None


def write_days(folder: Path, key: SigningKey, rows: int, *, changes: bool) -> ArchivedDays:
    """Simulate a bank so that about so many rows are mature behind the warm-up, and archive them.

    Parameters
    ----------
    folder: for the tables.
    key: signs the champion.
    changes: whether a tactic that the champion does not know begins.
    """
    settings = PopulationSettings(customers=20_000, terminals=20_000, transactions_per_day=rows / TRAINING_DAYS)
    days = WARM_UP_DAYS + TRAINING_DAYS + MATURITY_DAYS + 1
    start = WARM_UP_DAYS + TRAINING_DAYS - TACTIC_DAYS
    new = TacticScript("card_testing", (Phase(start_day=start, share=0.003),), name="new_tactic")
    known = history(
        Simulation(Population(settings, seed=SEED), (*BASE_MIX, new) if changes else BASE_MIX).days(0, days), SEED
    )
    values = batch_features(known, DEFAULT)
    first_day = int(known.columns.event_time[0]) // DAY_MS + WARM_UP_DAYS
    end = (first_day + TRAINING_DAYS + MATURITY_DAYS + 1) * DAY_MS
    taught = mature_rows(
        known, values, from_day=WARM_UP_DAYS, as_of=(first_day + CHAMPION_DAYS + MATURITY_DAYS) * DAY_MS,
        maturity_ms=MATURITY_DAYS * DAY_MS, source="simulated",
    )  # fmt: skip
    champion, score = _champion(taught, values, key)
    tables = {name: ArchiveTable(str(folder), name, {}, 30) for name in TABLES}
    for day in range(first_day, end // DAY_MS):
        chosen = slice(*np.searchsorted(known.columns.event_time, (day * DAY_MS, (day + 1) * DAY_MS)))
        for name, table in _tables(known, values, score, champion.version, day, chosen).items():
            tables[name].append(table, {f"{name}/{day}": 1})
    versions = {name: table.version for name, table in tables.items()}
    changed_at = (first_day - WARM_UP_DAYS + start) * DAY_MS if changes else None
    return ArchivedDays(str(folder), versions, champion, first_day, end - DAY_MS, changed_at)


def _champion(
    rows: TrainingRows, values: npt.NDArray[np.float32], key: SigningKey
) -> tuple[Bundle, npt.NDArray[np.float32]]:
    kind = family("hist_gradient_boosting")
    fitted = kind.fit(rows.values, rows.is_fraud, None, SEED)
    score = np.asarray(fitted.predict_proba(values)[:, 1], np.float32)
    golden = golden_rows(rows.values, fitted.predict_proba(rows.values)[:, 1].astype(np.float32), SEED)
    manifest = Manifest(
        created_at=time.time_ns() // 1_000_000,
        family=kind.name,
        parameters=dict(kind.defaults),
        seed=SEED,
        feature_set=DEFAULT.version,
        feature_names=list(DEFAULT.names),
        onnx_sha256="",
        data=rows.summary(),
        code_commit="bench",
        metrics={},
        thresholds=Thresholds(float(np.quantile(score, 1 - FLAGGED_SHARE))),
        golden=Golden.of(golden, fitted.predict_proba(golden)[:, 1].astype(np.float32)),
    )
    return Bundle.build(manifest, kind.to_onnx(fitted, len(DEFAULT)), key), score


def _tables(
    known: History, values: npt.NDArray[np.float32], score: npt.NDArray[np.float32], version: str, day: int, part: slice
) -> dict[str, pa.Table]:
    rows = known.columns.slice(part.start, part.stop)
    n, offsets = len(rows), np.arange(part.start, part.stop)
    shared: dict[str, Any] = {
        "kafka_offset": offsets,
        "source_offset": offsets,
        "transaction_id": pa.array(rows.transaction).cast(pa.string()),
        "card_id": pa.array(rows.card).cast(pa.string()),
        "terminal_id": pa.array(rows.terminal).cast(pa.string()),
        "event_time": rows.event_time,
        "score": score[part],
    }
    same: dict[str, Any] = {
        "kafka_partition": 0, "kafka_timestamp": 0, "epoch": 0, "writer": "w", "role": "champion", "kept": True,
        "decision": "approve", "model_version": version, "feature_set": DEFAULT.version, "scored_at": 1,
        "currency": "EUR", "control": False, "pass_probability": 1.0, "recomputed": False, "verified": True,
    }  # fmt: skip
    features: dict[str, Any] = {
        **shared,
        "amount_minor": rows.amount,
        "values": pa.FixedSizeListArray.from_arrays(pa.array(values[part].ravel()), len(DEFAULT)),
    }
    stated = np.flatnonzero(known.labelled_at[part] != NO_LABEL)
    labels = {name: pa.array(column).take(pa.array(stated)) for name, column in shared.items() if name != "score"}
    labels |= {"is_fraud": known.is_fraud[part][stated], "labelled_at": known.labelled_at[part][stated]}
    found = {SCORES: _table(SCORES, day, n, shared, same), FEATURES: _table(FEATURES, day, n, features, same)}
    if len(stated):
        found[LABELS] = _table(LABELS, day, len(stated), labels, {**same, "label_source": "chargeback"})
    return found


def _table(name: str, day: int, n: int, columns: dict[str, Any], same: dict[str, Any]) -> pa.Table:
    schema, arrays = SCHEMAS[name], []
    for field in schema:
        if field.name == "event_day":
            arrays.append(pa.array([day] * n, pa.int32()).cast(pa.date32()))
        elif field.name in columns:
            arrays.append(pa.array(columns[field.name]).cast(field.type))
        elif field.name in same:
            arrays.append(pa.array([same[field.name]] * n).cast(field.type))
        else:
            arrays.append(pa.nulls(n, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
