"""Retrains by the calendar: one request in each period of event days, none while an incident is open."""

from collections.abc import Mapping
from typing import Final

from models.drift.words import date
from models.schema.cloud_event import event_id
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS

ACTOR: Final = "watch/schedule"


class RetrainSchedule:
    """Asks at the first closed day of a period on which no incident is open.

    Periods are counted from 1970, so that every run has the same ones. The period in which the first day closes is left
    out: a system that has just been started needs no new model.

    Parameters
    ----------
    every_days: length of a period in event days; None never asks.

    Examples
    --------
    >>> schedule = RetrainSchedule(7)
    >>> [len(schedule.close_day(day, "m-1", {}, incident=day == 13)) for day in range(5, 16)]
    [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    """

    def __init__(self, every_days: int | None) -> None:
        self._every_days = every_days
        self._asked: int | None = None

    def close_day(
        self, day: int, champion: str | None, table_versions: Mapping[str, int], *, incident: bool
    ) -> list[RetrainRequest]:
        """Return the request that is due at the close of a day, if any.

        Parameters
        ----------
        day: event day that closed.
        champion: who decided on most of its transactions; None without one.
        table_versions: of the archive.
        incident: whether one is open, which asks by itself.
        """
        if self._every_days is None:
            return []
        as_of = (day + 1) * DAY_MS
        period = (day + 1) // self._every_days
        if self._asked is None:
            self._asked = period
        if period <= self._asked or incident or champion is None:
            return []
        self._asked = period
        return [
            RetrainRequest(
                request_id=event_id("request", "schedule", self._every_days, period),
                cause="schedule",
                incident=None,
                number=1,
                model_version=champion,
                as_of=as_of,
                changed_at=None,
                frauds_since_change=0,
                reason=f"every {self._every_days} event days; due since {date(period * self._every_days * DAY_MS)}",
                actor=ACTOR,
                table_versions=dict(table_versions),
            )
        ]
