"""What a scoring worker shows to Prometheus."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from stream_app.scoring.latency import LatencyHistogram
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import Scored

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
_MOST_FAILED = 32
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class ScoringMetrics:
    """The metrics of one worker, in a registry of their own; no label has the cardinality of cards."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.scored = self._counter("transactions_scored", "Transactions scored")
        self.flagged = self._counter("transactions_flagged", "Transactions sent to review or declined")
        self.rejected = self._counter("transactions_rejected", "Records sent to the dead-letter topic")
        self.duplicates = self._counter(
            "transactions_duplicate", "Transactions already in their card's window: scored, not counted"
        )
        self.late = self._counter("transactions_late", "Transactions inserted in order up to 24 hours late")
        self.too_late = self._counter(
            "transactions_too_late", "Transactions more than 24 hours late: scored, not counted"
        )
        self.misrouted = self._counter(
            "transactions_misrouted", "Transactions on another partition than their card_id's murmur2 hash"
        )
        self.control_rows = self._counter("control_rows", "Declines let pass at random, as the control group")
        self.degraded = self._counter("scores_degraded", "Scores marked degraded")
        self.recomputed = self._counter("feature_batches_recomputed", "Feature batches computed again after a crash")
        self.lapses = self._counter("lease_lapses", "Times the process stood still too long and fetched again")
        self.models_refused = self._counter("models_refused", "Promoted or placed models that did not verify or fit")
        self.profiles_refused = self._counter("profile_records_refused", "Records of `profiles` that no keeper wrote")
        self.registry_errors = self._counter("registry_errors", "Looks at the registry that Redis did not answer")
        self.checkpoint_bytes = self._counter("checkpoint_bytes", "Bytes of card-state checkpoints written")
        self.checkpoint_failures = self._counter(
            "checkpoint_failures", "Checkpoints of card state that storage did not take"
        )
        self.checkpointed_at = Gauge(
            "fraudstream_checkpoint_timestamp_seconds",
            "When a checkpoint of card state was last written, as Unix time; 0 before the first",
            registry=self.registry,
        )
        self.latency = LatencyHistogram(
            "fraudstream_event_to_score_seconds",
            "Time from Kafka's stamp of a transaction until its score was handed to the producer; within a batch those "
            "between the first and the last count as if they had come evenly",
            self.registry,
        )
        self.batch_seconds = Histogram(
            "fraudstream_batch_seconds", "Time to score what one poll brought", buckets=_SECONDS, registry=self.registry
        )
        self.batch_rows = Histogram(
            "fraudstream_batch_rows", "Records that one poll brought", buckets=_ROWS, registry=self.registry
        )
        self.lag = Gauge(
            "fraudstream_partition_lag_records",
            "Records not yet scored, by open partition",
            ["partition"],
            registry=self.registry,
        )
        self.oldest_age = Gauge(
            "fraudstream_oldest_transaction_age_seconds",
            "Time since Kafka has the first transaction of the last batch",
            registry=self.registry,
        )
        self.overdue = self._counter(
            "transactions_overdue",
            "Transactions scored without reasons and marked degraded, being older than the limit",
        )
        self.cards = Gauge("fraudstream_cards", "Cards in the open partitions' state", registry=self.registry)
        self.card_state_bytes = Gauge(
            "fraudstream_card_state_bytes", "Memory of the card state", registry=self.registry
        )
        self.profiles_as_of = Gauge(
            "fraudstream_profiles_applied_timestamp_seconds",
            "Event time of the terminal profiles that are applied, as Unix time",
            registry=self.registry,
        )
        self._model = Gauge(
            "fraudstream_model_info", "The model that decides, in the label", ["version"], registry=self.registry
        )
        self.swaps = self._counter("model_swaps", "Champions swapped in")
        self.placement_sequence = Gauge(
            "fraudstream_placement_sequence",
            "Number of the placement of models that is applied",
            registry=self.registry,
        )
        self.models_loaded = Gauge(
            "fraudstream_models_loaded", "Models that score each batch, the champion too", registry=self.registry
        )
        self._failures = Counter(
            "fraudstream_model_failures",
            "Batches for which a model gave no scores or no reasons; payments went on",
            ["version", "part"],
            registry=self.registry,
        )
        self._model_seconds = Counter(
            "fraudstream_model_seconds",
            "Time each model took to score, while some are placed beside the champion",
            ["version"],
            registry=self.registry,
        )
        self._champion: str | None = None
        self._timed: set[str] = set()
        self._failed: dict[tuple[str, str], None] = {}

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"fraudstream_{name}", text, registry=self.registry)

    def _see_failure(self, version: str, part: str) -> None:
        """Count a failure; the series of what failed longest ago go, so that their number stays bounded."""
        self._failed.pop((version, part), None)
        self._failed[version, part] = None
        self._failures.labels(version, part).inc()
        if len(self._failed) > _MOST_FAILED:
            gone = next(iter(self._failed))
            del self._failed[gone]
            self._failures.remove(*gone)

    def lineup_swapped(self, lineup: Lineup) -> None:
        """Take note of the models that were swapped in, the first ones too."""
        version = lineup.champion.version
        if version != self._champion:
            self._champion = version
            self._model.clear()
            self._model.labels(version).set(1)
            self.swaps.inc()
        self.placement_sequence.set(lineup.placement.sequence)
        self.models_loaded.set(len(lineup.versions))
        for gone in self._timed.difference(lineup.versions):
            self._model_seconds.remove(gone)
            self._timed.discard(gone)

    def see_poll(self, rows: int, seconds: float) -> None:
        """Take note of what one poll brought, of all partitions, and of how long scoring took."""
        self.batch_seconds.observe(seconds)
        self.batch_rows.observe(rows)

    def see_checkpoint(self, size_bytes: int, failures: int) -> None:
        """Take note of a try to write a checkpoint; no bytes where there was nothing new, or it failed."""
        self.checkpoint_failures.inc(failures)
        self.checkpoint_bytes.inc(size_bytes)
        if size_bytes:
            self.checkpointed_at.set_to_current_time()

    def see(self, scored: Scored) -> None:
        """Take note of the scored batch of one partition."""
        for counter, rows in (
            (self.scored, len(scored.scores)),
            (self.flagged, scored.flagged),
            (self.rejected, len(scored.dead)),
            (self.duplicates, scored.duplicates),
            (self.late, scored.late),
            (self.too_late, scored.too_late),
            (self.misrouted, scored.misrouted),
            (self.control_rows, scored.control),
            (self.degraded, scored.degraded),
            (self.recomputed, sum(message.header.recomputed for message in scored.features)),
        ):
            if rows:
                counter.inc(rows)
        for failure in scored.model_failures:
            self._see_failure(failure.version, failure.part)
        for version, took_s in scored.model_seconds.items():
            if not math.isnan(took_s):
                self._timed.add(version)
                self._model_seconds.labels(version).inc(took_s)
