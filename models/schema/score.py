"""A scored transaction on the topic `scores`, keyed by card_id, in the same partition as its transaction."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.schema.field_types import Count, Identifier, TimeMs, Version1, version_1

Decision = Literal["approve", "review", "decline"]
Role = Literal["champion", "canary"]


class ReasonCode(msgspec.Struct, frozen=True, gc=False):
    """One feature that pushed a score up: analyst's code, feature name, its value and its contribution in log-odds."""

    code: str
    feature: str
    value: float
    contribution: float


class Score(msgspec.Struct, frozen=True, gc=False):
    """The deciding score of the transaction at source_offset; a reader drops one not above the last offset it saw."""

    transaction_id: Identifier
    event_time: TimeMs
    card_id: Identifier
    score: Annotated[float, Meta(ge=0, le=1)]
    score_scaled: Annotated[int, Meta(ge=0, le=999)]
    decision: Decision
    reason_codes: list[ReasonCode]
    model_version: str
    feature_set: str
    role: Role
    scored_at: TimeMs
    degraded: bool
    duplicate: bool
    source_offset: Count
    epoch: Count
    writer: str
    schema_version: Version1 = msgspec.field(default_factory=version_1)
