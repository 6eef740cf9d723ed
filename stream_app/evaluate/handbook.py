"""The run: replay in lockstep, a new model before each test week, figures by the handbook's protocol."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.access.redis_access import redis_client
from models.errors import FraudstreamError
from models.families.catalogue import DEFAULT_FAMILY, family
from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.features.history import NO_LABEL
from models.features.profile_keeper import STEP_MS
from models.metrics.handbook import HANDBOOK as PROTOCOL
from models.metrics.handbook import assess
from models.registry import Registry
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from models.signing import SigningKey
from producers.column_mapping import HANDBOOK
from producers.history import History
from producers.kafka_client import Outbox
from producers.lockstep import Lockstep, LockstepError
from producers.replay import LabelRule, Replay
from stream_app.evaluate.profile_markers import ProfileMarkers
from stream_app.evaluate.recorder import Recorder
from stream_app.evaluate.releases import Releases, TrainingRows
from stream_app.evaluate.report import EvaluationReport, WeekReport, mean_figures
from stream_app.evaluate.truth import Truth
from stream_app.topic_admin import create_topics
from stream_app.worker_processes import Connections, Processes

PATIENCE_S = 30.0
"""What has not come back after so long without any movement is lost."""
_SCORE_ROWS = 100_000
_FIRST_TREES = 10


class EvaluationError(FraudstreamError):
    """Raised when the figures of a run would not mean what they say."""


@dataclass(frozen=True, slots=True)
class HandbookPlan:
    """Which days are what."""

    test_weeks: tuple[int, ...] = (129, 136, 143, 150)
    """First day of each test week."""
    train_from_day: int = 28
    """First day of the training rows: before it the longest card window is not full."""
    label_delay_days: int = PROTOCOL.delay_days
    """Event days after which a fraud is known."""
    partitions: int = 4
    """Partitions of the topics."""
    seed: int = 0
    """Of the models' fits."""
    parameters: dict[str, float] = field(default_factory=dict)
    """Of the models, other than the family's defaults."""

    @property
    def days(self) -> int:
        """How many days of the file are streamed."""
        return self.test_weeks[-1] + PROTOCOL.test_days

    @property
    def label_delay_ms(self) -> int:
        """The delay in milliseconds."""
        return self.label_delay_days * DAY_MS


@dataclass
class Progress:
    """How far a run has come, for a line on the terminal."""

    doing: str = "starting"
    transactions: int = 0
    day: int = 0

    def line(self, elapsed_s: float) -> str:
        """The same in words."""
        return f"{elapsed_s:4.0f} s: {self.doing}, event day {self.day}, {self.transactions:,} transactions"


class HandbookEvaluation:
    """Streams the handbook's file and measures each test week.

    Parameters
    ----------
    file: the handbook's transactions.
    plan: which days are what.
    connections: Kafka and Redis, with fresh prefixes.
    folder: for keys, checkpoints and logs.
    clock_s: clock in seconds.
    """

    def __init__(
        self,
        file: Path,
        plan: HandbookPlan,
        connections: Connections,
        folder: Path,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.progress = Progress()
        self._file = file
        self._plan = plan
        self._connections = connections
        self._folder = folder
        self._clock_s = clock_s
        self._models: dict[int, LoadedModel] = {}
        self._trained_age_ms: list[int] = []

    def run(self) -> EvaluationReport:
        """Stream everything and return the figures."""
        started_s = self._clock_s()
        plan, connections = self._plan, self._connections
        self.progress.doing = "reading the file"
        truth = Truth.read(self._file, plan.days)
        self.progress.doing = "computing features offline"
        offline = batch_features(truth.history(plan.label_delay_ms), DEFAULT, plan.label_delay_ms)
        create_topics(connections.broker, connections.topics, plan.partitions)
        releases = self._releases()
        self._begin(releases, truth, offline)
        with ExitStack() as stack:
            processes = stack.enter_context(Processes(connections, self._folder))
            recorder = stack.enter_context(
                Recorder(connections.broker, connections.topics, plan.partitions, truth, len(DEFAULT))
            )
            self.progress.doing = "waiting for the worker and the keeper"
            processes.wait_ready()
            markers = ProfileMarkers(connections.broker, connections.topics)
            stack.callback(markers.close)
            try:
                sent = self._stream(truth, releases, processes, recorder, markers)
            except LockstepError:
                # A process that has ended is the better reason.
                processes.check()
                raise
            self._complete(recorder, sent)
        return self._report(truth, offline, recorder, markers, self._clock_s() - started_s)

    def _releases(self) -> Releases:
        key = SigningKey.load_or_create(self._folder / "signing-key.pem")
        key.publish(self._folder / "allowed-signers")
        registry = Registry(self._connections.redis_url, self._connections.redis_prefix)
        return Releases(registry, key, DEFAULT, self._plan.seed)

    def _begin(self, releases: Releases, truth: Truth, offline: npt.NDArray[np.float32]) -> None:
        """A model to begin with, from the first two weeks: its scores are in no figure, and it declines nothing."""
        rows = slice(0, int(np.searchsorted(truth.days, 2 * PROTOCOL.test_days)))
        first = TrainingRows(
            offline[rows], truth.is_fraud[rows], truth.columns.event_time[rows], "first two weeks, to begin with"
        )
        releases.release(family(DEFAULT_FAMILY), first, "a model to begin with", max_iter=_FIRST_TREES)

    def _stream(
        self, truth: Truth, releases: Releases, processes: Processes, recorder: Recorder, markers: ProfileMarkers
    ) -> "_Sent":
        connections, plan = self._connections, self._plan
        names = connections.topics
        outbox = Outbox(connections.broker, [names.transactions, names.labels, names.clock], tracks_offsets=True)
        client = redis_client(connections.redis_url)
        replay = Replay(
            History(self._file, HANDBOOK, to_day=plan.days),
            outbox,
            names,
            labels=LabelRule(plan.label_delay_ms, "issuer_report"),
            lockstep=Lockstep(outbox, client, connections.redis_prefix, names),
            ends_at=truth.day_ms(plan.days),
        )
        self.progress.doing = "streaming"
        for step in replay.steps():
            self._check(processes, recorder)
            markers.see_step(step.as_of)
            day, within = divmod(step.as_of - truth.start_ms, DAY_MS)
            self.progress.day, self.progress.transactions = day, step.transactions
            if not within and day in plan.test_weeks:
                self._complete(recorder, _Sent(step.transactions, step.labels))
                self._release(day, truth, releases, processes, recorder)
        client.close()
        return _Sent(replay.transactions, replay.labels)

    def _check(self, processes: Processes, recorder: Recorder) -> None:
        processes.check()
        recorder.check()

    def _complete(self, recorder: Recorder, sent: "_Sent") -> None:
        recorder.wait_for(sent.transactions, sent.labels, PATIENCE_S)

    def _release(self, day: int, truth: Truth, releases: Releases, processes: Processes, recorder: Recorder) -> None:
        """Train on the rows whose labels are known at the start of a day, and wait until the worker runs the model."""
        self.progress.doing = f"training for the week from day {day}"
        now_ms = truth.day_ms(day)
        rows = slice(*np.searchsorted(truth.days, (self._plan.train_from_day, day - self._plan.label_delay_days)))
        known = recorder.has_values[rows]
        times = truth.columns.event_time[rows][known]
        labelled_at = recorder.labelled_at[rows][known]
        values = recorder.values[rows] if known.all() else recorder.values[rows][known]
        is_fraud = (labelled_at != NO_LABEL) & (labelled_at <= now_ms)
        training = TrainingRows(
            values, is_fraud, times, f"event days {self._plan.train_from_day} to {day - 8}, as recorded"
        )
        model = releases.release(family(DEFAULT_FAMILY), training, f"test week from day {day}", **self._plan.parameters)
        self._trained_age_ms.append(now_ms - int(times.max()))
        self._models[day] = model
        processes.wait_for_model(model.version)
        self.progress.doing = "streaming"

    def _report(
        self,
        truth: Truth,
        offline: npt.NDArray[np.float32],
        recorder: Recorder,
        markers: ProfileMarkers,
        elapsed_s: float,
    ) -> EvaluationReport:
        weeks = [self._week(day, truth, offline, recorder) for day in self._plan.test_weeks]
        ages_ms = [*self._trained_age_ms, *([] if markers.youngest_age_ms is None else [markers.youngest_age_ms])]
        unequal, largest = _difference(recorder.values, offline)
        return EvaluationReport(
            weeks=weeks,
            mean=mean_figures(weeks),
            youngest_label_days=min(ages_ms) / DAY_MS,
            lost=int(np.sum(recorder.scored == 0)),
            duplicated=int(np.sum(recorder.scored[recorder.scored > 1] - 1)),
            transactions=len(truth),
            largest_feature_difference=largest,
            unequal_feature_rows=unequal,
            rows_of_another_step=int(np.sum(recorder.profiles_as_of != _own_steps(truth))),
            elapsed_s=round(elapsed_s, 1),
        )

    def _week(self, day: int, truth: Truth, offline: npt.NDArray[np.float32], recorder: Recorder) -> WeekReport:
        """Figures of a week by its scores in the stream, and the AP of the same model on offline features."""
        days = truth.days
        rows = slice(*np.searchsorted(days, (day, day + PROTOCOL.test_days)))
        model = self._models[day]
        _require_model(recorder, rows, model.version)
        streamed = assess(days, truth.columns.card, truth.is_fraud, recorder.scores, day)
        offline_scores = np.full(len(truth), np.nan, np.float32)
        for start in range(rows.start, rows.stop, _SCORE_ROWS):
            stop = min(start + _SCORE_ROWS, rows.stop)
            offline_scores[start:stop] = model.score(offline[start:stop])
        offline_ap = assess(days, truth.columns.card, truth.is_fraud, offline_scores, day).protocol.ap
        figures = streamed.protocol
        return WeekReport(day, figures.auc, figures.ap, figures.cp100, offline_ap, streamed.all_rows)


@dataclass(frozen=True, slots=True)
class _Sent:
    transactions: int
    labels: int


def _require_model(recorder: Recorder, rows: slice, version: str) -> None:
    """Refuse to report a week that another model scored."""
    numbers = np.unique(recorder.model[rows][recorder.scored[rows] > 0])
    if [recorder.versions[number] for number in numbers.tolist()] != [version]:
        found = ", ".join(recorder.versions[number] for number in numbers.tolist()) or "none"
        raise EvaluationError(f"a test week was scored by {found}, not by {version} alone: is somebody else promoting?")


def _own_steps(truth: Truth) -> npt.NDArray[np.int64]:
    """The profile step each transaction must see: the last one at or before it, 0 before the first."""
    steps = truth.columns.event_time // STEP_MS * STEP_MS
    return np.where(steps == steps[0], 0, steps)


def _difference(streamed: npt.NDArray[np.float32], offline: npt.NDArray[np.float32]) -> tuple[int, float]:
    """How many rows differ, and by how much at most; NaN equals NaN."""
    unequal, largest = 0, 0.0
    for start in range(0, len(streamed), _SCORE_ROWS):
        a, b = streamed[start : start + _SCORE_ROWS], offline[start : start + _SCORE_ROWS]
        differs = (a != b) & ~(np.isnan(a) & np.isnan(b))
        unequal += int(differs.any(axis=1).sum())
        if differs.any():
            largest = max(largest, float(np.abs(np.nan_to_num(a) - np.nan_to_num(b))[differs].max()))
    return unequal, largest
