"""How many control rows a week are announced, and when a warning says that they are too few."""

import logging

import msgspec
import pytest

from models.control_group import ControlPolicy
from models.manifest import Figures, Golden, Manifest, Thresholds, TrainingData
from models.schema.topics import DAY_MS
from stream_app.scoring.control_outlook import ControlOutlook
from stream_app.scoring.record_batch import Scored

POLICY = ControlPolicy(share=0.1, day_cap=1000, seed=bytes(16))
START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def manifest(rate: float | None, *, rows: int = 70_000, decline: float | None = 0.9) -> Manifest:
    values = {} if rate is None else {"decline_rate": rate}
    figures = Figures("release", START_MS, START_MS + 7 * DAY_MS, rows, 10, values)
    return Manifest(
        created_at=0,
        family="",
        parameters={},
        seed=0,
        feature_set="",
        feature_names=[],
        onnx_sha256="",
        data=TrainingData("", 0, 0, 0, 0),
        code_commit="",
        metrics={"hold_out": figures},
        thresholds=Thresholds(0.5, decline),
        golden=Golden("", []),
    ).sealed()


def hours(outlook: ControlOutlook, count: int, drawable: int, *, partition: int = 0, first: int = 0) -> None:
    """A batch an hour."""
    for hour in range(first, first + count):
        scored = Scored(0, [(b"", b"")], drawable=drawable, event_time=START_MS + hour * HOUR_MS)
        outlook.see(partition, 2, scored)


def test_the_hold_out_says_what_the_first_week_will_bring(caplog: pytest.LogCaptureFixture) -> None:
    ControlOutlook(POLICY).begin(manifest(0.01))
    assert "about 70 rows of the control group expected a week, by the hold-out of m-" in caplog.text
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_fewer_than_50_a_week_are_a_warning_with_its_remedy(caplog: pytest.LogCaptureFixture) -> None:
    ControlOutlook(POLICY).begin(manifest(0.007))
    assert "about 49 rows" in caplog.text
    assert "raise --control-share, --control-amount-cap or --control-day-cap" in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("policy", "found", "words"),
    [
        (ControlPolicy(share=0.0), manifest(0.01), "--control-share is 0"),
        (POLICY, manifest(0.0, decline=None), "declines nothing"),
        (POLICY, manifest(None), "said after the first event day"),
        (POLICY, msgspec.structs.replace(manifest(None), metrics={}), "said after the first event day"),
    ],
)
def test_what_cannot_be_expected_is_said_without_a_figure(
    policy: ControlPolicy, found: Manifest, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    ControlOutlook(policy).begin(found)
    assert words in caplog.text
    assert "expected a week" not in caplog.text


def test_traffic_is_extrapolated_to_all_partitions_after_a_day_and_then_every_week(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outlook = ControlOutlook(POLICY)
    hours(outlook, 64, 5)
    assert not caplog.records
    hours(outlook, 1, 5, first=64)
    assert [record.getMessage() for record in caplog.records] == [
        "about 168 rows of the control group expected a week, by the traffic of 1 of 2 partitions"
    ]
    hours(outlook, 167, 1, first=65)
    assert len(caplog.records) == 1
    hours(outlook, 1, 1, first=232)
    assert "about 34 rows" in caplog.records[1].getMessage()
    assert caplog.records[1].levelname == "WARNING"


def test_one_batch_far_ahead_ends_no_day(caplog: pytest.LogCaptureFixture) -> None:
    outlook = ControlOutlook(POLICY)
    hours(outlook, 50, 5)
    hours(outlook, 5, 5, first=50_000)
    assert not caplog.records
