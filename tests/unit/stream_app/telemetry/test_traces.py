"""Spans go where the standard variables say, carry the ids of the work, and cost nothing where nobody wants them."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from opentelemetry.trace import SpanKind

from stream_app.retrain.traced_steps import TracedSteps
from stream_app.telemetry.about import about
from stream_app.telemetry.traces import (
    begin_traces,
    messaging,
    sending,
    span,
    trace_headers,
    trace_ids,
    trace_of,
    traceparent,
    tracing,
    wanted,
)
from tests.support.otlp_receiver import Receiver, receiving


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Receives what this process traces; look at `spans` after `sent`."""
    from stream_app.telemetry.trace_export import exporting_provider  # noqa: PLC0415  loaded only where it is wanted

    with receiving() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        provider = exporting_provider("score")
        begin_traces(provider)
        yield found
        begin_traces(None)
        provider.shutdown()


def sent(receiver: Receiver, count: int) -> None:
    until = time.monotonic() + 10
    while len(receiver.spans) < count:
        assert time.monotonic() < until, receiver.spans
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_an_endpoint_switches_traces_on(environment: dict[str, str], expected: bool) -> None:
    assert wanted(environment) is expected


def test_where_nobody_traces_there_is_nothing_to_carry() -> None:
    assert not tracing()
    with span("decode") as here, sending("model-events"):
        here.set_attribute("rows", 3)
        assert (trace_headers(), traceparent(), trace_ids()) == ([], None, {})


def test_spans_arrive_with_their_service_their_order_and_the_ids_of_the_work(receiver: Receiver) -> None:
    about_batch = messaging("process", "transactions", count=500, group="g")
    with (
        about(correlation_id="i-1", request_id=None),
        span("process transactions", SpanKind.CONSUMER, attributes=about_batch),
        span("decode"),
    ):
        pass
    sent(receiver, 2)
    (inner,), (outer,) = receiver.named("decode"), receiver.named("process transactions")
    assert (outer.service, outer.kind, outer.parent) == ("fraudstream-score", "consumer", "")
    assert (inner.trace, inner.parent, inner.kind) == (outer.trace, outer.span, "internal")
    assert outer.attributes == {
        "fraudstream.correlation_id": "i-1",
        "messaging.system": "kafka",
        "messaging.destination.name": "transactions",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.batch.message_count": 500,
        "messaging.consumer.group.name": "g",
    }


def test_the_standard_variable_names_the_service(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    from stream_app.telemetry.trace_export import exporting_provider  # noqa: PLC0415  as above

    monkeypatch.setenv("OTEL_SERVICE_NAME", "fraud-eu")
    provider = exporting_provider("score")
    begin_traces(provider)
    with span("decode"):
        pass
    provider.shutdown()
    assert [one.service for one in receiver.spans] == ["fraud-eu"]


def test_a_record_carries_its_trace_to_whoever_reads_it(receiver: Receiver) -> None:
    with span("close day"), sending("retrain-requests", correlation_id="i-1"):
        headers = trace_headers()
    with span("process retrain-requests", SpanKind.CONSUMER, parent=trace_of(headers)):
        pass
    with span("process transactions", links=[trace_of(headers) or ""]):
        pass
    sent(receiver, 4)
    (producer,), (consumer,) = receiver.named("send retrain-requests"), receiver.named("process retrain-requests")
    (batch,) = receiver.named("process transactions")
    assert producer.kind == "producer"
    assert producer.attributes["messaging.message.conversation_id"] == "i-1"
    assert (consumer.trace, consumer.parent) == (producer.trace, producer.span)
    assert (batch.trace != producer.trace, batch.parent, batch.links) == (True, "", [producer.span])


@pytest.mark.parametrize("headers", [None, [], [("traceparent", None)], [("ce_id", b"x")]])
def test_a_record_without_a_trace_begins_one(receiver: Receiver, headers: list | None) -> None:
    with span("process retrain-requests", parent=trace_of(headers)):
        pass
    sent(receiver, 1)
    assert receiver.spans[0].parent == ""


def test_a_trace_that_cannot_be_read_begins_another(receiver: Receiver) -> None:
    with span("process retrain-requests", parent=trace_of([("traceparent", b"\xff not one")])):
        pass
    sent(receiver, 1)
    assert receiver.spans[0].parent == ""


def test_a_line_that_is_logged_in_a_span_names_it(receiver: Receiver) -> None:
    with span("commit tables"):
        ids = trace_ids()
    sent(receiver, 1)
    assert ids == {"trace_id": receiver.spans[0].trace, "span_id": receiver.spans[0].span}


def test_what_a_training_reports_becomes_its_steps(receiver: Receiver) -> None:
    told: list[str] = []

    def fail() -> None:
        with span("train"), TracedSteps(told.append) as steps:
            for text in ("reading the archive", "900 rows, 30 frauds", "fold 1", "recipe: a; b", "gate: pass; every"):
                steps.report(text)
            raise MemoryError

    with pytest.raises(MemoryError):
        fail()
    sent(receiver, 5)
    (train,) = receiver.named("train")
    below = ["read archive", "choose recipe", "cross-fit and gate", "refit, sign and calibrate"]
    assert receiver.children(train) == below
    assert [span.failed for span in receiver.spans] == [False, False, False, True, True]
    assert len(told) == 5


def test_the_exporter_is_not_even_loaded_where_nobody_wants_it() -> None:
    program = (
        "import sys; from stream_app.telemetry.traces import trace_if_wanted; trace_if_wanted('score'); "
        "sys.exit('opentelemetry.sdk' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], env={}, timeout=30, check=False).returncode == 0
