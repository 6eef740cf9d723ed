"""Retrains by the calendar."""

from stream_app.watch.history.schedule import RetrainSchedule


def days_asked(schedule: RetrainSchedule, days: range, incident: range = range(0)) -> list[int]:
    return [day for day in days if schedule.close_day(day, "m-1", {}, incident=day in incident)]


def test_one_is_asked_for_when_a_period_begins() -> None:
    assert days_asked(RetrainSchedule(10), range(95, 131)) == [99, 109, 119, 129]


def test_a_period_that_began_in_an_incident_is_served_when_it_is_over() -> None:
    assert days_asked(RetrainSchedule(10), range(95, 131), incident=range(98, 104)) == [104, 109, 119, 129]


def test_a_period_that_was_an_incident_throughout_is_left_out() -> None:
    assert days_asked(RetrainSchedule(10), range(95, 131), incident=range(98, 112)) == [112, 119, 129]


def test_without_a_period_or_a_champion_nothing_is_asked_for() -> None:
    assert days_asked(RetrainSchedule(None), range(95, 131)) == []
    schedule = RetrainSchedule(10)
    assert [schedule.close_day(day, None, {}, incident=False) for day in range(95, 131)] == [[]] * 36


def test_a_restarted_schedule_gives_the_same_period_the_same_id() -> None:
    def ids(first: int) -> list[str]:
        schedule = RetrainSchedule(10)
        found = [schedule.close_day(day, "m-1", {}, incident=False) for day in range(first, 131)]
        return [request.request_id for requests in found for request in requests]

    assert ids(95)[-2:] == ids(112)
