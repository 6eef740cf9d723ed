"""Events of the release loop for tests."""

from models.schema.model_event import ModelEvent, ModelEventKind


def model_event(kind: ModelEventKind, *, cause: str = "upside down", as_of: int = 0) -> ModelEvent:
    """Return an event about `m-1`, `m-2` being there before."""
    return ModelEvent(
        kind=kind,
        version="m-1",
        before="m-2",
        cause=cause,
        checks=(),
        as_of=as_of,
        release="r",
        incident=None,
        request_id=None,
        actor="release",
        sequence=1,
    )
