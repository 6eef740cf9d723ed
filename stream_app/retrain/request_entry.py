"""A retrain request in the audit."""

from models.audit.chain import Entry
from models.schema.audit_record import Detail
from models.schema.cloud_event import event_id
from models.schema.retrain_request import RetrainRequest


def request_entry(request: RetrainRequest) -> Entry:
    """Return what the audit says of a request: the same for the same one, so that it stands there once."""
    details: dict[str, Detail] = {
        "cause": request.cause,
        "incident": request.incident,
        "number": request.number,
        "model_version": request.model_version,
        "as_of": request.as_of,
        "frauds_since_change": request.frauds_since_change,
    }
    identity = event_id("retrain-request", request.request_id)
    actor, reason = request.actor.strip() or "nobody", request.reason.strip() or "no reason was given"
    return Entry("retrain-request", actor, reason, request.request_id, details, identity)
