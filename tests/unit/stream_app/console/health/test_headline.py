"""The sentence on top: what is wrong since when, and what was done about it."""

from dataclasses import replace

import pytest

from stream_app.console.health.accuracy import weeks_of
from stream_app.console.health.features import features_of
from stream_app.console.health.headline import Headline, headline_of
from stream_app.console.health.records import HealthRecords
from tests.support.health_story import ALARM, LAST, PROMOTED, event, move, story
from tests.support.performance_records import FIRST_DAY, record
from tests.support.statistics_records import statistics

RETRAINED = (
    "A retrain was asked for three times; retrained three times: 1 passed the gate, 1 rejected by the gate, "
    "1 undecided."
)


def headline(records: HealthRecords) -> Headline:
    return headline_of(records, weeks_of(records), features_of(records))


def test_without_a_record_it_says_what_is_waited_for() -> None:
    found = headline(HealthRecords())
    assert (found.level, found.story) == ("unknown", [])
    assert "No event day has closed yet" in found.sentence


def test_before_the_first_week_has_matured_nobody_is_called_healthy() -> None:
    found = headline(story(10))
    assert (found.level, found.word) == ("unknown", "Too early to tell")
    assert "No week has been measured yet" in found.sentence


def test_a_quiet_model_is_healthy_with_its_last_measured_recall() -> None:
    found = headline(story(30))
    assert (found.level, found.story) == ("good", [])
    assert "Recall was 82 % (77 to 87 %) in the week of 2 July 2018, the last one measured." in found.sentence


def test_an_open_incident_tells_the_fall_the_alarm_the_retrains_and_the_promotion() -> None:
    found = headline(story(52))
    assert (found.level, found.word) == ("bad", "Incident open")
    assert "since 23 July 2018" in found.sentence
    assert found.story == [
        "Recall fell from 82 % to 49 % in the week of 23 July 2018.",
        "The alarm on 31 July 2018 names amount: the model misses more fraud where amount is at most 0.99.",
        RETRAINED,
        "m-2 promoted on 1 August 2018.",
        "The incident is open; it ends when the matured figures have been back for 7 days.",
    ]


def test_as_long_as_the_weeks_since_the_change_are_young_no_fall_is_claimed() -> None:
    found = headline(story(ALARM))
    assert found.story[0] == "The weeks since 23 July 2018 are not measured yet: their labels are not mature."


def test_an_incident_that_is_over_is_still_told() -> None:
    found = headline(story(LAST))
    assert (found.level, found.word) == ("good", "Healthy")
    assert "Recall fell from 82 % to 49 % in the week of 23 July 2018." in found.story
    assert (
        found.story[-1] == "The matured figures have been back since 15 August; the incident ended on 21 August 2018."
    )


def test_a_recall_that_did_not_fall_is_not_said_to_have_fallen() -> None:
    quiet = story(52)
    flat = tuple(one for one in quiet.performance if one.week < 5)
    again = record(5, recall=0.82)
    found = headline(replace(quiet, performance=(*flat, again)))
    assert found.story[0].startswith("Recall did not fall: it was 82 % before and 82 % in the week of")


def test_a_roll_back_is_part_of_the_story() -> None:
    back = move(PROMOTED + 1, "rolled back", "m-1", before="m-2", cause="alert rate: too many", sequence=2)
    records = story(46)
    found = headline(replace(records, models=(*records.models, back)))
    assert "Rolled back from m-2 to m-1 on 2 August 2018: alert rate: too many." in found.story


def test_a_warning_of_the_last_week_is_no_health_and_an_older_one_no_news() -> None:
    def with_warning(day: int) -> Headline:
        records = story(34)
        return headline(replace(records, events=(event(day, "warning", "country", kind="population", since=20),)))

    assert (with_warning(33).level, with_warning(20).level) == ("warning", "good")
    assert "a warning came on 21 July 2018: country moved" in with_warning(33).sentence


def test_a_shift_that_lasts_warns_though_it_is_no_news() -> None:
    records = story(30)
    moved = statistics(FIRST_DAY + 30, amount=0.4)
    found = headline(replace(records, statistics=(*records.statistics[:-1], moved)))
    assert found.level == "warning"
    assert "amount is beyond the limit of drift" in found.sentence


@pytest.mark.parametrize(("kinds", "told"), [(("frozen",), True), (("frozen", "unfrozen"), False)])
def test_frozen_promotions_are_told_until_somebody_lifts_them(kinds, told: bool) -> None:
    freezes = [move(20, kind, "m-1", sequence=at, incident=None) for at, kind in enumerate(kinds, 1)]
    found = headline(replace(story(30), models=tuple(freezes)))
    assert any("frozen" in sentence for sentence in found.story) is told
