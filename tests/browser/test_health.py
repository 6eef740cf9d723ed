"""The page Health: what was published is on it, in words too, and what is published next comes without a reload."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models.features.feature_set import DEFAULT
from models.schema import wire
from stream_app.console.health.records import HealthRecords
from stream_app.console.people.role import Role
from tests.browser.conftest import PHONE
from tests.support.console_world import ConsoleWorld
from tests.support.health_story import LAST, event, published, statistics_of, story

SignIn = Callable[..., Page]
FIGURES = ("recall", "precision", "average_precision", "value_detection_rate", "alert_rate")


def publish(console: ConsoleWorld, records: HealthRecords) -> None:
    """Write records as the watch and the retrainer do."""
    for topic, context, record in published(records):
        console.produce(console.topics.of(topic), wire.encode(record), headers=context.headers())


@pytest.fixture(scope="module", autouse=True)
def told(console: ConsoleWorld) -> None:
    """Two months of a bank on the topics."""
    publish(console, story())


def chart(page: Page, name: str):
    return page.locator(f".chart[data-figure={name}]")


def opened(page: Page) -> Page:
    """The page when all that was published is on it and drawn."""
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    expect(chart(page, "recall").locator("canvas")).to_have_count(1)
    expect(page.locator("#health-marks")).to_contain_text("R3")
    return page


def test_the_story_of_an_incident_is_on_the_page(sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health", viewport={"width": 1360, "height": 900}))
    marks = page.locator("#health-marks li")
    for label, text in (
        ("A1", "misses more fraud"),
        ("R1", "40 matured frauds"),
        ("M1", "promoted m-2"),
        ("W1", "country"),
    ):
        expect(marks.filter(has_text=label)).to_contain_text(text)
    page.get_by_text("All weeks as a table").click()
    shared = page.locator("#health-weeks tr", has_text="30 July 2018")
    assert [row.get_attribute("data-version") for row in shared.all()] == ["m-1", "m-2"]
    expect(page.locator("#health-weeks tr", has_text="2 July 2018")).to_contain_text("first 82 %")
    expect(page.locator("#health-weeks tr.estimated")).to_contain_text("about 75 %")


def test_what_a_chart_shows_is_said_in_words_too(sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health"))
    for name in FIGURES:
        expect(chart(page, name)).to_have_attribute("role", "img")
    said = chart(page, "recall").get_attribute("aria-label") or ""
    assert "lowest 49 % in the week of 23 July 2018, 84 % (79 to 89 %) in the last one measured" in said
    assert "Estimated from scores alone, before labels: 75 %" in said
    assert "Label maturity: 90 % of that week's fraud labels are expected to be known, 20 % of the last day's" in said
    assert "Alarms: A1 31 July" in said
    assert "Model swaps: M1 1 August" in said


def test_the_features_farthest_beyond_their_limit_come_first_and_the_others_on_request(sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health"))
    expect(page.locator(".multiples li")).to_have_count(12)
    page.get_by_role("link", name=f"Show all {len(DEFAULT.names) + 1}").click()
    expect(page.locator(".multiples li")).to_have_count(len(DEFAULT.names) + 1)
    expect(page.locator(".multiples li", has_text="of the model").locator("path.index")).to_have_count(1)


def test_an_alarm_and_its_end_are_told_without_a_reload(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health"))
    page.evaluate("window.sameDocument = true")
    page.get_by_text("All weeks as a table").click()
    alarm = event(LAST + 1, "alarm", "channel", incident="incident-2", since=LAST - 3, version="m-2")
    publish(console, HealthRecords(events=(alarm,)))
    expect(page.locator("#health-marks")).to_contain_text("A2", timeout=1_000)
    headline = page.locator("#health-headline")
    expect(headline).to_contain_text("Incident open")
    expect(headline).to_contain_text("names channel")
    expect(chart(page, "recall")).to_have_attribute("aria-label", re.compile("A2 27 August"))
    expect(page.locator("details").first).to_have_attribute("open", "")
    end = event(LAST + 9, "recovery", incident="incident-2", since=LAST + 2, version="m-2")
    publish(console, HealthRecords(events=(end,)))
    expect(headline).not_to_contain_text("Incident open", timeout=1_000)
    expect(headline).to_contain_text("the incident ended on 4 September 2018")
    assert page.evaluate("window.sameDocument")


def test_a_feature_that_moved_today_comes_first_without_a_reload(console: ConsoleWorld, sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health"))
    expect(page.locator(".multiples li.beyond")).to_have_count(0)
    publish(console, HealthRecords(statistics=(statistics_of(LAST + 1, moved=0.43),)))
    first = page.locator(".multiples li").first
    expect(first).to_contain_text("beyond the limit of 0.1 on 27 August 2018", timeout=1_000)
    expect(first).to_have_attribute("data-feature", "amount")
    expect(page.locator("#health-headline")).to_contain_text("amount is beyond the limit of drift")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(sign_in: SignIn, accessible: Callable[[Page], None], scheme: str) -> None:
    page = opened(sign_in(Role.VIEWER, "/health", color_scheme=scheme))
    for summary in page.locator("summary").all():
        summary.click()
    accessible(page)


def test_it_fits_a_phone(sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health", viewport=PHONE, has_touch=True, is_mobile=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for place in page.locator("main .button").all():
        assert (place.bounding_box() or {"height": 0})["height"] >= 44


def test_pointing_at_a_week_names_its_model_and_figures(sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health"))
    area = chart(page, "recall").locator(".u-over")
    box = area.bounding_box() or {"width": 0, "height": 0}
    area.hover(position={"x": 4, "y": box["height"] / 2})
    expect(page.locator("#readout")).to_contain_text("m-1: recall 82 % (77 to 87 %)")
    area.hover(position={"x": box["width"] - 4, "y": box["height"] / 2})
    expect(page.locator("#readout")).to_contain_text("estimated from scores: recall about 75 %")


def test_the_page_and_its_files_are_light(sign_in: SignIn) -> None:
    page = opened(sign_in(Role.VIEWER, "/health"))
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".map((entry) => entry.decodedBodySize)"
    )
    assert 20_000 < sum(sizes) < 300_000
