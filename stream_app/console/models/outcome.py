"""What a person's act has come to, read back from its audit record."""

from models.alias import MOVE
from models.schema.audit_record import AuditRecord
from stream_app.console.moment import moment


def outcome(record: AuditRecord, person: str) -> str | None:
    """Return one sentence for whoever acted; None where the record is not of an act of theirs.

    Parameters
    ----------
    record: what was written.
    person: who looks.
    """
    details, subject = record.details, record.subject
    if person not in {record.actor, details.get("approved_by"), details.get("proposed_by")}:
        return None
    if record.kind == MOVE:
        by = f"{record.actor}, approved by {details['approved_by']}" if "approved_by" in details else record.actor
        return (
            f"{str(details['alias']).capitalize()} is now {subject} (record {record.sequence}, {by}: {record.reason})."
        )
    if record.kind == "promotion-proposal":
        until = moment(int(details["expires_ms"] or 0))
        return f"{subject} is proposed. It waits until {until} UTC for another approver."
    if record.kind == "promotion-rejection":
        return f"The proposal of {subject} is off the table."
    if record.kind == "approvals":
        number = "two persons" if details.get("required") else "one person"
        return f"Promotions by hand need {number} from now on."
    return None
