"""What the drift agent found on an event day, on the topic `drift-events`: for people first, for programs as well."""

from typing import Literal

import msgspec

from models.schema.field_types import Count, Version1, version_1

DriftLevel = Literal["warning", "alarm", "recovery"]
DriftKind = Literal[
    "performance", "concept", "population", "category", "missing", "volume", "score", "estimate", "latency"
]


class Evidence(msgspec.Struct, frozen=True):
    """One figure behind a finding.

    Attributes
    ----------
    feature: the feature, `score`, or `performance`.
    where: which values of it, in words.
    expected, observed: what the reference promises for the window, and what came; their unit is in `unit`.
    statistic, limit: how far that is, and the limit it passed.
    """

    feature: str
    where: str
    expected: float
    observed: float
    unit: str
    statistic: float
    limit: float


class DriftEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A warning, an alarm, or the end of an incident.

    Attributes
    ----------
    as_of: event time at which it was found, ms: the midnight that closed a day.
    day: event day that begins then, as days since 1970-01-01.
    level: alarms open incidents and ask for a retrain, warnings do not.
    kind: what moved: `performance` and `concept` are about matured labels, the others about what came before labels.
    feature: the feature that moved most, or `performance`.
    since: event time from which on it moved, ms.
    window_days: event days that the figures are taken over.
    summary: the finding in one sentence.
    evidence: the figures behind it, the strongest first.
    incident: id of the incident that it opened, belongs to or ended.
    reference: which rows it was compared with.
    table_versions: the archive's tables that it was read from.
    """

    model_version: str
    as_of: int
    day: int
    level: DriftLevel
    kind: DriftKind
    feature: str
    since: int
    window_days: Count
    summary: str
    evidence: list[Evidence]
    incident: str | None
    reference: str
    table_versions: dict[str, int]
    schema_version: Version1 = msgspec.field(default_factory=version_1)
