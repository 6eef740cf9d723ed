"""The metrics of all processes: named as is usual, with labels that stay few, and each on the operators' page."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from models.release.state import ReleaseState
from stream_app.process_metrics import CertificateEnds, certificate_files
from stream_app.retrain.gauges import RetrainGauges
from stream_app.scoring.latency import LatencyHistogram
from stream_app.scoring.metrics import ScoringMetrics
from tests.support.metric_catalogue import CatalogueEntry, catalogue

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations" / "monitoring.md"
CATALOGUE = catalogue()
OF_FEW_VALUES = {
    "agent", "cause", "kind", "level", "measure", "part", "partition", "server", "state", "step", "table", "topic",
    "use", "verdict", "version", "fraudstream_retrain_step", "fraudstream_release_stage",
    "kinds", "page", "method", "status", "route", "role", "outcome",
}  # fmt: skip
UNUSUAL_UNITS = r"_(milliseconds|ms|minutes|hours|days|kilobytes|kb|megabytes|mb|percent)(_|$)"


@pytest.mark.parametrize("entry", CATALOGUE, ids=[entry.shown for entry in CATALOGUE])
def test_a_metric_is_named_as_is_usual_and_says_what_it_means(entry: CatalogueEntry) -> None:
    assert re.fullmatch(r"(fraudstream|process)_[a-z]+(_[a-z]+)*", entry.name)
    assert not re.search(UNUSUAL_UNITS, entry.name)
    assert re.match(r"[A-Z]|1 while ", entry.text)
    assert entry.kind in {"counter", "gauge", "histogram", "info", "stateset"}
    if entry.kind == "histogram":
        assert re.search(r"_(seconds|rows|bytes|pages)$", entry.name)
    if "Unix time" in entry.text:
        assert entry.name.endswith("_timestamp_seconds")
    if entry.kind != "counter":
        assert not entry.name.endswith(("_total", "_count", "_sum", "_bucket"))


@pytest.mark.parametrize("entry", CATALOGUE, ids=[entry.shown for entry in CATALOGUE])
def test_a_label_has_few_values(entry: CatalogueEntry) -> None:
    assert set(entry.labels) <= OF_FEW_VALUES


def test_a_name_is_one_process_s_only() -> None:
    names = [entry.name for entry in CATALOGUE]
    assert len(names) == len(set(names))


def test_the_page_lists_every_metric_with_kind_labels_and_meaning() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| (.*?) \| (.*?) \|$", PAGE.read_text(), flags=re.MULTILINE)
    listed = {name: (kind, tuple(re.findall(r"`(\w+)`", labels)), text) for name, kind, labels, text in rows}
    assert listed == {entry.shown: (entry.kind, entry.labels, entry.text) for entry in CATALOGUE}
    assert len(rows) == len(CATALOGUE)


def test_waits_of_a_batch_are_spread_evenly_between_its_first_and_last_row() -> None:
    registry = CollectorRegistry()
    waits = LatencyHistogram("fraudstream_waits_seconds", "Waits", registry)
    waits.observe(100, longest_s=2.0, shortest_s=0.0)
    waits.observe(1, longest_s=0.004, shortest_s=0.004)
    waits.observe(10, longest_s=-0.5, shortest_s=0.5)  # clocks that are ahead, stamps the wrong way round
    waits.observe(5, longest_s=100, shortest_s=90)

    def value(suffix: str, **labels: str) -> float:
        found = registry.get_sample_value(f"fraudstream_waits_seconds_{suffix}", labels)
        assert found is not None
        return found

    assert value("bucket", le="0.5") == pytest.approx(25 + 1 + 10)
    assert value("bucket", le="60.0") == pytest.approx(111)
    assert value("bucket", le="+Inf") == value("count") == pytest.approx(116)
    assert value("sum") == pytest.approx(100 + 0.004 + 2.5 + 475)


def test_failures_of_models_long_gone_have_no_series() -> None:
    metrics = ScoringMetrics()
    for number in range(100):
        metrics._see_failure(f"m-{number}", "shadow")
    metrics._see_failure("m-99", "shadow")
    value = metrics.registry.get_sample_value
    assert value("fraudstream_model_failures_total", {"version": "m-99", "part": "shadow"}) == 2
    assert value("fraudstream_model_failures_total", {"version": "m-0", "part": "shadow"}) is None
    assert len(metrics._failed) == 32


def test_a_frozen_release_shows_while_its_process_is_the_active_one() -> None:
    gauges = RetrainGauges()
    value = gauges.registry.get_sample_value
    gauges.see_release(active=True, state=ReleaseState(stage="canary", frozen="recall fell", rows=7))
    assert value("fraudstream_release_frozen") == value("fraudstream_release_active") == 1
    assert value("fraudstream_release_stage", {"fraudstream_release_stage": "canary"}) == 1
    assert value("fraudstream_release_compared_rows") == 7
    gauges.see_release(active=False, state=None)
    assert value("fraudstream_release_frozen") == value("fraudstream_release_active") == 0
    assert value("fraudstream_release_stage", {"fraudstream_release_stage": "idle"}) == 1


def certificate(ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(ends - timedelta(days=9)).not_valid_after(ends)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_the_first_end_of_a_file_s_certificates_is_shown_and_read_again_when_the_file_changes(tmp_path: Path) -> None:
    early, late = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    file, broken = tmp_path / "ca.pem", tmp_path / "broken.pem"
    file.write_bytes(certificate(late) + certificate(early))
    broken.write_text("no certificate")
    named = certificate_files(
        {"ssl.ca.location": str(file), "ssl.certificate.location": str(broken)},
        {"FRAUDSTREAM_REDIS_CA_FILE": str(tmp_path / "gone.pem")},
    )
    registry = CollectorRegistry()
    registry.register(CertificateEnds(named))

    def ends() -> float | None:
        labels = {"server": "kafka", "use": "authority"}
        return registry.get_sample_value("fraudstream_certificate_expiry_timestamp_seconds", labels)

    assert ends() == early.timestamp()
    assert len([sample for family in registry.collect() for sample in family.samples]) == 1
    file.write_bytes(certificate(late))
    assert ends() == late.timestamp()
