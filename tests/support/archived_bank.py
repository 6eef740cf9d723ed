"""A small bank in archive tables, day by day, with a model that one new tactic gets past: what watchers look at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.bundle import Bundle
from models.drift.reference import DriftReference, build_reference
from models.features.feature_set import DEFAULT
from models.features.history import NO_LABEL
from models.manifest import Golden, Manifest, Thresholds, TrainingData
from models.metrics.scored_rows import ScoredRows
from models.schema.archive_commit import ArchiveCommit
from models.schema.cloud_event import CloudEvent, event_id
from models.schema.topics import DAY_MS, FEATURES, LABELS, SCORES
from stream_app.archive.delta_table import ArchiveTable
from stream_app.archive.scored_view import day_text
from stream_app.archive.tables import SCHEMAS, TABLES

FIRST_DAY = 17_563
"""A Thursday: weeks of the ledger begin with it."""
ROWS = 300
FRAUDS = 9
MATURITY_DAYS = 7
STATED_AFTER_DAYS = 3
_AMOUNT, _HOUR, _RISK = (DEFAULT.index(name) for name in ("amount", "hour_of_day", "terminal_risk_7d"))
_DECISIONS = np.array(["approve", "review", "decline"])
Columns = dict[str, Any]
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class BankDay:
    """What was scored on a day, in the order of event time."""

    day: int
    rows: ScoredRows
    ids: list[str]
    cards: list[str]
    terminals: list[str]


@dataclass(frozen=True)
class ArchivedBank:
    """The same bank for the same arguments.

    Parameters
    ----------
    tactic_from: number of the day from which on small amounts at night are fraud that scores low; None for never.
    rows: transactions a day.
    telling: whether a feature tells the score, more or less, and so all fraud but the tactic's: what a model can learn.
    """

    tactic_from: int | None = None
    rows: int = ROWS
    telling: bool = False

    def day(self, number: int) -> BankDay:
        """Day `number` from FIRST_DAY on; negative ones are the reference."""
        draw, n = np.random.default_rng(1_000 + number), self.rows
        values = np.zeros((n, len(DEFAULT)), np.float32)
        values[:, _AMOUNT] = np.round(draw.lognormal(3, 1, n), 2)
        values[:, _HOUR] = draw.uniform(0, 24, n)
        day = FIRST_DAY + number
        times = np.sort(draw.integers(0, DAY_MS, n)) + day * DAY_MS
        is_fraud = np.zeros(n, bool)
        is_fraud[draw.choice(n, FRAUDS * n // ROWS, replace=False)] = True
        score = np.where(is_fraud, draw.beta(5, 3, n), draw.beta(1, 40, n))
        if self.telling:
            values[:, _RISK] = score + draw.normal(0, 0.05, n)
        if self.tactic_from is not None and number >= self.tactic_from:
            new = draw.choice(np.flatnonzero(~is_fraud), FRAUDS * n // ROWS, replace=False)
            is_fraud[new], values[new, _AMOUNT] = True, np.float32(0.5)
        card = draw.integers(0, 90, n)
        terminal = draw.integers(0, 40, n)
        stated = np.where(is_fraud, times + STATED_AFTER_DAYS * DAY_MS, NO_LABEL)
        rows = ScoredRows(
            event_time=times.astype(np.int64),
            transaction=np.arange(n).astype(np.uint64) + np.uint64((number + 100) * n),
            card=card.astype(np.uint64),
            terminal=terminal.astype(np.uint64),
            amount_minor=(values[:, _AMOUNT] * 100).astype(np.int64),
            score=score.astype(np.float32),
            decision=(score > 0.5).astype(np.uint8),
            control=np.zeros(n, bool),
            pass_probability=np.ones(n, np.float32),
            values=values,
            is_fraud=is_fraud,
            stated_at=stated.astype(np.int64),
            label_source=np.where(is_fraud, 2, 0).astype(np.uint8),
            latency_ms=np.full(n, np.nan, np.float32),
            model_version="reference",
            as_of=(day + MATURITY_DAYS + 1) * DAY_MS,
        )
        ids = [f"{number}-{at:06d}" for at in range(n)]
        return BankDay(day, rows, ids, [f"c{one}" for one in card], [f"t{one}" for one in terminal])

    @cached_property
    def reference(self) -> DriftReference:
        """What the model was used to: four weeks before FIRST_DAY."""
        days = [self.day(number).rows for number in range(-28, 0)]
        columns = {
            name: np.concatenate([getattr(rows, name) for rows in days])
            for name in ScoredRows.__dataclass_fields__
            if name not in {"model_version", "as_of"}
        }
        rows = ScoredRows(**columns, model_version="reference", as_of=FIRST_DAY * DAY_MS)
        codes = [feature.name for feature in DEFAULT.features if feature.unit == "code"]
        return build_reference(rows, DEFAULT.names, codes, "four weeks")

    @cached_property
    def bundle(self) -> Bundle:
        """The model as the registry holds it, as far as watchers look at it."""
        manifest = Manifest(
            created_at=1_700_000_000_000,
            family="none",
            parameters={},
            seed=1,
            feature_set=DEFAULT.version,
            feature_names=list(DEFAULT.names),
            onnx_sha256="",
            data=TrainingData("a bank", 0, 1, 28 * self.rows, 28 * FRAUDS),
            code_commit="test",
            metrics={},
            thresholds=Thresholds(0.5),
            golden=Golden("", []),
            reference=msgspec.to_builtins(self.reference),
        ).sealed()
        return Bundle(manifest.canonical_bytes(), b"", b"", "nobody")

    @property
    def model(self) -> str:
        """Version of the model that decided."""
        return self.bundle.version


class BankArchive:
    """Writes the bank's days into Delta tables, a commit per day, as the archive would announce them.

    Parameters
    ----------
    folder: where the tables are put.
    bank: whose days.
    beside: says by version what models in shadow give the rows of a day.
    """

    def __init__(
        self, folder: Path, bank: ArchivedBank, beside: Callable[[BankDay], Mapping[str, Floats]] = lambda _day: {}
    ) -> None:
        self.url = str(folder / "archive")
        self.bank = bank
        self._beside = beside
        self.announcements: list[tuple[CloudEvent, ArchiveCommit]] = []
        self._tables = {name: ArchiveTable(self.url, name, {}, 30) for name in TABLES}
        self._statements: list[tuple[int, Columns]] = []
        self._offset = 0
        self._identity = event_id("archive", {name: table.table_id for name, table in self._tables.items()})

    def add_days(self, first: int, behind: int, every: int = 1, **changed: Any) -> None:
        """Write days and announce each commit, of several days together with `every`; `changed` holds for all rows."""
        for number in range(first, behind):
            self._add(self.bank.day(number), changed)
            if (number + 1 - first) % every == 0 or number == behind - 1:
                self._state((FIRST_DAY + number + 1) * DAY_MS)
                self.announce((FIRST_DAY + number + 1) * DAY_MS)

    def state(self, of: BankDay, place: int, labelled_at: int, *, is_fraud: bool = True) -> None:
        """Somebody makes a statement; it is written with the next day that ends after it."""
        one = {
            "transaction_id": [of.ids[place]],
            "card_id": [of.cards[place]],
            "terminal_id": [of.terminals[place]],
            "event_time": of.rows.event_time[[place]],
            "is_fraud": [is_fraud],
            "labelled_at": [labelled_at],
            **_same(1, label_source="chargeback"),
        }
        self._statements.append((labelled_at, one))

    @staticmethod
    def date(number: int) -> str:
        """The date of a day as people write it."""
        return day_text(FIRST_DAY + number)

    def announce(self, watermark: int) -> None:
        """Say how the tables stand."""
        versions = {name: table.version for name, table in self._tables.items()}
        commit = ArchiveCommit(versions, {}, watermark, 1_764_000_000_000)
        identity = event_id("archive", self._identity, versions, watermark)
        event = CloudEvent(identity, "archive.commit", "archive", commit.committed_at, str(watermark), self._identity)
        self.announcements.append((event, commit))

    def _add(self, of: BankDay, changed: Columns) -> None:
        n, rows = len(of.rows), of.rows
        offsets = np.arange(n) + self._offset
        self._offset += n
        score = rows.score
        shared = {
            "transaction_id": of.ids,
            "event_time": rows.event_time,
            "card_id": of.cards,
            "score": score,
            "decision": _DECISIONS[rows.decision],
            "source_offset": offsets,
            **_same(
                n, epoch=0, writer="w", role="champion", model_version=self.bank.model, feature_set=DEFAULT.version
            ),
        }
        scores = {**shared, "kafka_offset": offsets, **_same(n, scored_at=1, kept=True)}
        self._append(SCORES, of.day, scores | _same(n, **changed))
        features = {
            **shared,
            "terminal_id": of.terminals,
            "amount_minor": rows.amount_minor,
            "values": pa.FixedSizeListArray.from_arrays(pa.array(rows.values.ravel()), len(DEFAULT)).cast(
                pa.list_(pa.float32())
            ),
            "shadow_scores": self._shadow_scores(of),
            **_same(n, currency="EUR", control=False, pass_probability=1.0, recomputed=False, verified=True),
        }
        self._append(FEATURES, of.day, {**features, **_same(n, kafka_offset=0), **_same(n, **changed)})
        frauds = np.flatnonzero(rows.is_fraud)
        for place in frauds:
            self.state(of, int(place), int(rows.stated_at[place]))

    def _shadow_scores(self, of: BankDay) -> list[list[dict[str, Any]] | None]:
        beside = {version: scores.tolist() for version, scores in self._beside(of).items()}
        return [
            [{"model_version": version, "score": scores[row]} for version, scores in beside.items()] or None
            for row in range(len(of.rows))
        ]

    def _state(self, until: int) -> None:
        """Write the statements made by a moment, one append for each event day that they are about."""
        due = [columns for labelled_at, columns in self._statements if labelled_at <= until]
        self._statements = [one for one in self._statements if one[0] > until]
        parts = [
            self._table(LABELS, int(columns["event_time"][0]) // DAY_MS, columns, at) for at, columns in enumerate(due)
        ]
        if parts:
            self._tables[LABELS].append(pa.concat_tables(parts), {f"labels/{until}": 1})

    def _append(self, name: str, day: int, columns: Columns) -> None:
        self._tables[name].append(self._table(name, day, columns), {f"{name}/{day}": 1})

    @staticmethod
    def _table(name: str, day: int, columns: Columns, offset: int = 0) -> pa.Table:
        n = len(columns["event_time"])
        origin = {"kafka_partition": [0] * n, "kafka_offset": [offset] * n, "kafka_timestamp": [0] * n}
        known: Mapping[str, Any] = {**origin, "event_day": pa.array([day] * n, pa.int32()).cast(pa.date32()), **columns}
        schema = SCHEMAS[name]
        arrays = [
            pa.array(known[field.name]).cast(field.type) if field.name in known else pa.nulls(n, field.type)
            for field in schema
        ]
        return pa.Table.from_arrays(arrays, schema=schema)


def _same(n: int, **values: Any) -> dict[str, list[Any]]:
    return {name: [value] * n for name, value in values.items()}
