"""The sentence on top: healthy, or what is wrong since when and what the system did about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from models.drift.words import PERFORMANCE
from models.schema.model_event import ModelEvent
from models.schema.topics import DAY_MS
from stream_app.console.health.accuracy import Week, champions_of
from stream_app.console.health.dates import day, short_day
from stream_app.console.health.features import FeatureDrift
from stream_app.console.health.figures import percent, times, with_interval
from stream_app.console.health.marks import Incident, incidents_of
from stream_app.console.health.records import WEEK_DAYS, HealthRecords

Level = Literal["good", "warning", "bad", "unknown"]

_RETRAINED: Final = ("registered", "rejected", "undecided")
_NEWS_DAYS: Final = 7
"""A warning about the same thing comes again only after so many quiet days: an older one is no news."""


@dataclass(frozen=True, slots=True)
class Headline:
    """How things stand.

    Attributes
    ----------
    level, word: in one word, for the colour and for everybody.
    sentence: the same in a sentence.
    story: what happened and what was done about it, a sentence each.
    """

    level: Level
    word: str
    sentence: str
    story: list[str]


def headline_of(records: HealthRecords, weeks: Sequence[Week], drifts: Sequence[FeatureDrift]) -> Headline:
    """Say how things stand at the last closed day."""
    champions, incidents = champions_of(weeks), incidents_of(records)
    now = f" As of {day(records.now_ms)}, event time." if records.now_ms else ""
    last = _last_measured(champions)
    open_one = next((one for one in reversed(incidents) if one.ended_ms is None), None)
    story = _story(incidents[-1], records, champions) if incidents else []
    notes = _notes(records.models)
    if open_one is not None:
        sentence = f"The model misses fraud that it used to find, since {day(open_one.changed_ms)}.{now}"
        return Headline("bad", "Incident open", sentence, [*_story(open_one, records, champions), *notes])
    if not records.now_ms:
        return Headline("unknown", "Nothing known yet", _WAITING, notes)
    moved = _moved(records, drifts)
    if moved:
        return Headline("warning", "Warning", f"No incident is open, but {moved}. {last}{now}", [*story, *notes])
    level: Level = "good" if champions else "unknown"
    word = "Healthy" if champions else "Too early to tell"
    return Headline(level, word, f"No incident is open and nothing has moved in a week. {last}{now}", [*story, *notes])


def _moved(records: HealthRecords, drifts: Sequence[FeatureDrift]) -> str | None:
    """Say what warns: news of the last week, or what was told before and lasts."""
    after_ms = records.now_ms - _NEWS_DAYS * DAY_MS
    warnings = [event for event in records.events if event.level == "warning" and event.as_of > after_ms]
    if warnings:
        newest = max(warnings, key=lambda event: event.as_of)
        return f"a warning came on {day(newest.as_of)}: {newest.summary}"
    beyond = [drift.name for drift in drifts if drift.beyond]
    if not beyond:
        return None
    more = f" and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
    return f"{', '.join(beyond[:_NAMED])}{more} {'is' if len(beyond) == 1 else 'are'} beyond the limit of drift"


_NAMED: Final = 3
_WAITING: Final = (
    "No event day has closed yet. `fraudstream watch` measures a day once the archive holds it, and a week's accuracy "
    "once its labels are mature."
)


def _last_measured(champions: Sequence[Week]) -> str:
    if not champions:
        return "No week has been measured yet: the first one is when the labels of its last day are mature."
    week = champions[-1]
    return (
        f"Recall was {with_interval(week.figures['recall'])} in the week of {day(week.from_ms)}, the last one measured."
    )


def _story(incident: Incident, records: HealthRecords, champions: Sequence[Week]) -> list[str]:
    models = sorted((event for event in records.models if event.incident == incident.id), key=lambda event: event.as_of)
    requests = [request for request in records.requests if request.incident == incident.id]
    return [
        _fall(incident, champions),
        _alarm(incident),
        _retrains(len(requests), models),
        *(_move(event) for event in models if event.kind in {"promoted", "rolled back"}),
        _end(incident),
    ]


def _fall(incident: Incident, champions: Sequence[Week]) -> str:
    """Recall before the change, and at its lowest since."""
    known = [week for week in champions if week.value("recall") is not None]
    before = [week for week in known if week.to_ms <= incident.changed_ms]
    until = incident.ended_ms or known[-1].to_ms if known else 0
    since = [week for week in known if week.to_ms > incident.changed_ms and week.from_ms < until]
    if not since:
        return f"The weeks since {day(incident.changed_ms)} are not measured yet: their labels are not mature."
    lowest = min(since, key=lambda week: week.value("recall") or 0.0)
    at = f"in the week of {day(lowest.from_ms)}"
    if not before:
        return f"Recall was {percent(lowest.value('recall'))} {at}; no week before the change was measured."
    usual, fallen = before[-1].value("recall") or 0.0, lowest.value("recall") or 0.0
    if fallen >= usual:
        return f"Recall did not fall: it was {percent(usual)} before and {percent(fallen)} {at}."
    return f"Recall fell from {percent(usual)} to {percent(fallen)} {at}."


def _alarm(incident: Incident) -> str:
    named = list(dict.fromkeys(one.feature for one in incident.alarm.evidence if one.feature != PERFORMANCE))
    what = f"names {', '.join(named)}" if named else "is about all transactions together"
    return f"The alarm on {day(incident.alarm.as_of)} {what}: {incident.alarm.summary}."


def _retrains(asked: int, models: Sequence[ModelEvent]) -> str:
    if not asked:
        return "No retrain has been asked for yet."
    verdicts = [event.kind for event in models if event.kind in _RETRAINED]
    said = f"A retrain was asked for {times(asked)}"
    if not verdicts:
        return f"{said}; no candidate has come out of it yet."
    counts = [(verdicts.count("registered"), "passed the gate"), (verdicts.count("rejected"), "rejected by the gate")]
    counts.append((verdicts.count("undecided"), "undecided"))
    became = ", ".join(f"{count} {text}" for count, text in counts if count)
    return f"{said}; retrained {times(len(verdicts))}: {became}."


def _move(event: ModelEvent) -> str:
    if event.kind == "promoted":
        return f"{event.version} promoted on {day(event.as_of)}."
    return f"Rolled back from {event.before} to {event.version} on {day(event.as_of)}: {event.cause}."


def _end(incident: Incident) -> str:
    if incident.ended_ms is None or incident.recovery is None:
        return f"The incident is open; it ends when the matured figures have been back for {WEEK_DAYS} days."
    back = short_day(incident.recovery.since)
    return f"The matured figures have been back since {back}; the incident ended on {day(incident.ended_ms)}."


def _notes(models: Sequence[ModelEvent]) -> list[str]:
    """What a person must lift."""
    frozen = [event for event in models if event.kind in {"frozen", "unfrozen"}]
    if frozen and max(frozen, key=lambda event: event.sequence).kind == "frozen":
        return ["Promotions are frozen: no model is promoted automatically until a person lifts it."]
    return []
