"""The profile keeper without Kafka: counts what is new in its inputs and closes the steps that are over."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.features.feature_set import feature_set
from models.features.profile_keeper import STEP_MS, ProfileCounts, ProfileStep
from models.schema.clock_tick import ClockTick
from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader, FeatureRows
from models.schema.label import Label
from models.schema.murmur2 import murmur2_partitions
from stream_app.event_clock import EventClock, InputPositions
from stream_app.watch.profiles.source_positions import SourcePositions

Arrays = dict[str, npt.NDArray[np.generic]]


class KeeperState(msgspec.Struct, frozen=True):
    """The small part of a keeper's state: last step closed, ticks of open steps, next offsets of `labels`."""

    last_step: int
    ticks: list[ClockTick]
    labels: dict[int, int]


class ProfileKeeper:
    """Terminal counts, the event clock that closes their steps, and how far the inputs have been counted.

    Parameters
    ----------
    partitions: number of partitions of `features`.
    maturity_ms: age in event time at which a transaction counts.
    idle_after_s: when a partition no longer holds the clock back, in wall time.
    """

    def __init__(self, partitions: int, maturity_ms: int, idle_after_s: float) -> None:
        self.counts = ProfileCounts(maturity_ms)
        self.clock = EventClock(STEP_MS, partitions, idle_after_s)
        self.sources = SourcePositions(partitions)
        self._labels: dict[int, int] = {}
        self._restored = False

    def add_features(self, partition: int, header: FeatureBatchHeader, rows: FeatureRows | None, now_s: float) -> int:
        """Count the rows of a batch that are new and return how many; None where all its records were rejected."""
        counted = 0
        if rows is not None and len(rows):
            _check_width(header, rows)
            new = self.sources.new_rows(partition, header.epoch, rows.numpy("source_offset"))
            counted = int(new.sum())
            self._count(header, rows, new)
            self.clock.see_rows(partition, rows.numpy("event_time")[new], now_s)
        self.sources.scan(partition, header.epoch, header.last_offset)
        return counted

    def add_label(self, label: Label, partition: int, offset: int) -> None:
        """Count a statement about a transaction."""
        self.counts.add_label(label, (partition, offset))

    def reach_labels(self, partition: int, next_offset: int) -> None:
        """Take note that everything before an offset of `labels` has been counted."""
        self._labels[partition] = max(next_offset, self._labels.get(partition, 0))

    def add_tick(self, tick: ClockTick) -> None:
        """Take note of what a driver of event time says."""
        self.clock.see_tick(tick)

    def due_steps(self) -> list[int]:
        """Steps to close now, in order."""
        return self.clock.due_steps(self.positions)

    def close_step(self, as_of: int) -> ProfileStep:
        """The profiles that changed by a step.

        The first step after a restore holds every terminal: what the keeper before published after its last checkpoint
        is not known here, and a profile that has gone back to the checkpoint's since would not count as changed.
        """
        step = self.counts.close_step(as_of, everything=self._restored)
        self._restored = False
        self.clock.close(as_of)
        return step

    @property
    def positions(self) -> InputPositions:
        """How far the inputs have been counted."""
        return InputPositions(self.sources.next_offsets(), self._labels)

    def _count(self, header: FeatureBatchHeader, rows: FeatureRows, new: npt.NDArray[np.bool_]) -> None:
        if not new.any():
            return
        names = rows.strings("terminal_id"), rows.strings("transaction_id")
        explained = feature_set(header.feature_set).explained(rows.values)
        times, declined = rows.numpy("event_time"), _is_declined(rows)
        if not new.all():
            kept = np.flatnonzero(new)
            names = [names[0][row] for row in kept], [names[1][row] for row in kept]
            times, declined, explained = times[kept], declined[kept], explained[kept]
        self.counts.add_scored(times, *names, declined, explained)

    def snapshot(self) -> tuple[KeeperState, Arrays]:
        """The whole state: what is small as a record, the rest as arrays."""
        parts = {"counts": self.counts.snapshot(), "clock": self.clock.snapshot(), "sources": self.sources.snapshot()}
        arrays = {f"{part}.{name}": array for part, held in parts.items() for name, array in held.items()}
        return KeeperState(self.clock.last_step, list(self.clock.open_ticks), dict(self._labels)), arrays

    def misfit(self, arrays: Arrays) -> str | None:
        """Say which array of a snapshot is not as this release writes it; None when `restore` can take them all."""
        _, own = self.snapshot()
        for name, array in own.items():
            found = arrays.get(name)
            if found is None or found.dtype != array.dtype or found.shape[1:] != array.shape[1:]:
                what = "nothing" if found is None else f"{found.dtype} {found.shape}"
                return f"{what} as {name}, it must be {array.dtype} with rows of shape {array.shape[1:]}"
        return None

    def restore(self, state: KeeperState, arrays: Arrays) -> None:
        """Go on from a snapshot."""
        self.counts.restore(_part(arrays, "counts"))
        self.sources.restore(_part(arrays, "sources"))
        self.clock.restore(_part(arrays, "clock"), state.last_step, state.ticks)
        self._labels = dict(state.labels)
        self._restored = True


def compile_kernels() -> None:
    """Compile or load what is compiled, on a made-up history: the first step must not stop the process for seconds."""
    counts = ProfileCounts()
    once = np.zeros(1, np.bool_)
    counts.add_scored(np.array([STEP_MS], np.int64), ["a"], ["b"], once, once)
    counts.add_label(Label("b", "c", "a", STEP_MS, True, "analyst", STEP_MS), (0, 0))
    counts.close_step(STEP_MS * 400)
    counts.restore(counts.snapshot())
    murmur2_partitions([b"a"], 1)


def _part(arrays: Arrays, part: str) -> Arrays:
    return {name.removeprefix(f"{part}."): array for name, array in arrays.items() if name.startswith(f"{part}.")}


def _check_width(header: FeatureBatchHeader, rows: FeatureRows) -> None:
    """Raise before anything is counted: UnknownFeatureSetError, or FeatureBatchError for rows of another width."""
    width = len(feature_set(header.feature_set))
    if len(rows.feature_names) != width:
        raise FeatureBatchError(f"rows of {len(rows.feature_names)} features where {header.feature_set} has {width}")


def _is_declined(rows: FeatureRows) -> npt.NDArray[np.bool_]:
    decision: Any = rows.table.column("decision")
    return np.asarray(decision.indices.to_numpy() == decision.dictionary.to_pylist().index("decline"))
