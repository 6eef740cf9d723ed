"""Sending simulated days: everything in order, labels only when event time has come to them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.features.history import NO_LABEL
from models.schema.label import Label
from models.schema.topics import TopicNames
from models.schema.wire import decode, encode
from producers.pace import EventsPerSecond, Unpaced
from producers.simulator.history import history
from producers.simulator.playback import Playback
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX, Phase, TacticScript
from producers.simulator.settings import DAY_MS
from producers.simulator.simulation import Simulation
from producers.simulator.statements import fraud_reports, statements
from producers.simulator.truth import TruthFile, TruthFileError

TOPICS = TopicNames("t.")
HEAVY = (TacticScript("account_takeover", (Phase(share=0.02),)),)


class Outbox:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes | None, bytes]] = []
        self.polls = 0

    def send_all(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes]) -> None:
        self.records += [(topic, key, value) for key, value in zip(keys, values, strict=True)]

    def poll(self) -> None:
        self.polls += 1

    def of(self, topic: str) -> list[tuple[bytes | None, bytes]]:
        return [(key, value) for name, key, value in self.records if name == topic]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_all_days_are_sent_as_they_are(population: Population) -> None:
    outbox, simulation = Outbox(), Simulation(population)
    Playback(outbox, TOPICS, Unpaced()).run(simulation.days(0, 2))
    assert outbox.of("t.transactions") == [*simulation.day(0).encoded(), *simulation.day(1).encoded()]
    assert outbox.of("t.labels") == []


def test_a_rate_is_kept(population: Population) -> None:
    outbox, clock = Outbox(), Clock()
    playback = Playback(outbox, TOPICS, EventsPerSecond(1000), clock=clock, sleep=clock.sleep)
    playback.run(Simulation(population).days(0, 1))
    assert playback.elapsed_s == pytest.approx(len(outbox.records) / 1000, abs=0.02)
    assert outbox.polls > 0


def test_labels_are_sent_once_event_time_has_come_to_them_and_not_before(population: Population) -> None:
    outbox = Outbox()
    playback = Playback(outbox, TOPICS, Unpaced(), labels_seed=7)
    simulation = Simulation(population, HEAVY)
    playback.run(simulation.days(0, 12))
    reached, waiting = 0, 0
    times = iter(np.concatenate([day.event_time for day in simulation.days(0, 12)]).tolist())
    for topic, key, value in outbox.records:
        if topic == "t.transactions":
            reached = next(times)
            continue
        label = decode(Label, value)
        waiting = max(waiting, reached - label.labelled_at)
        assert label.labelled_at <= reached
        assert key == label.card_id.encode()
    assert waiting < DAY_MS
    assert playback.labels_sent == len(outbox.of("t.labels")) > 100
    said = sum(len(statements(day, 7)) for day in simulation.days(0, 12))
    assert playback.labels_sent + playback.labels_waiting == said


def test_each_fraud_is_reported_and_an_added_tactic_moves_no_report(population: Population) -> None:
    def said(scripts: tuple[TacticScript, ...]) -> dict[str, bytes]:
        day = Simulation(population, scripts).day(3)
        return {label.transaction_id: encode(label) for label in statements(day, 7) if label.is_fraud}

    wave = TacticScript("triangulation", (Phase(share=0.02),))
    before, after = said(BASE_MIX), said((*BASE_MIX, wave))
    assert len(after) > len(before)
    assert before.items() <= after.items()
    day = Simulation(population, BASE_MIX).day(3)
    frauds = {one for one, bad in zip(day.transaction_ids, day.is_fraud, strict=True) if bad}
    assert frauds <= set(before)


def test_a_wrong_report_is_taken_back_later(population: Population) -> None:
    mistakes = 0
    for day in Simulation(population).days(0, 30):
        genuine = {one for one, bad in zip(day.transaction_ids, day.is_fraud, strict=True) if not bad}
        last: dict[str, Label] = {}
        for label in statements(day, 7):
            before = last.get(label.transaction_id)
            assert label.labelled_at >= (label.event_time if before is None else before.labelled_at)
            last[label.transaction_id] = label
        wrong = [label for label in last.values() if label.transaction_id in genuine]
        assert not any(label.is_fraud for label in wrong)
        mistakes += len(wrong)
    assert 5 <= mistakes <= 60


def test_a_history_holds_what_the_statements_say(population: Population) -> None:
    days = list(Simulation(population, HEAVY).days(2, 3))
    known = history(days, seed=7)
    assert len(known) == sum(map(len, days))
    assert np.array_equal(known.is_fraud, np.concatenate([day.is_fraud for day in days]))
    assert np.array_equal(known.labelled_at != NO_LABEL, known.is_fraud)
    rows, _, reported_at = fraud_reports(days[0], seed=7)
    assert np.array_equal(known.labelled_at[rows], reported_at)


def test_the_truth_file_holds_one_row_for_each_transaction_sent(population: Population, tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    days = list(Simulation(population, HEAVY).days(0, 2))
    with TruthFile(path) as truth:
        Playback(Outbox(), TOPICS, Unpaced(), truth=truth).run(days)
        assert not path.exists()
    table = pq.read_table(path).to_pydict()
    assert table["transaction_id"] == [one for day in days for one in day.transaction_ids]
    assert table["tactic"] == [one for day in days for one in day.tactic]
    assert table["is_fraud"] == [bool(one) for day in days for one in day.is_fraud]
    assert table["day"] == [day.day for day in days for _ in range(len(day))]


def test_a_stopped_run_leaves_the_truth_of_what_was_sent(population: Population, tmp_path: Path) -> None:
    outbox, path = Outbox(), tmp_path / "truth.parquet"

    def stop_early(playback: Playback) -> None:
        if playback.sent.transactions >= 2000:
            playback.stop()

    with TruthFile(path) as truth:
        playback = Playback(outbox, TOPICS, Unpaced(), truth=truth, on_progress=stop_early)
        playback.run(Simulation(population).days(0, 2))
    assert pq.read_table(path).num_rows == len(outbox.records) == 2000


def test_a_truth_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TruthFileError, match="give a folder that exists"):
        TruthFile(tmp_path / "missing" / "truth.parquet")
