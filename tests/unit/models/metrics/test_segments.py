"""Parts of a set of rows."""

import numpy as np

from models.metrics.segments import measure, segments
from models.schema.topics import DAY_MS
from tests.unit.models.metrics.scored import scored_rows, value

WEEK_MS = 7 * DAY_MS
NAMES = ("amount", "channel", "entry_mode", "merchant_group", "country")


def test_each_row_is_in_one_group_of_each_segment() -> None:
    random = np.random.default_rng(1)
    tops = [9, 5, 7, 11, 3]
    values = random.integers(0, tops, (500, 5)) + np.array([0, 0, 0, 0, 250])
    rows = scored_rows(random.random(500), np.zeros(500), values=values, amount_minor=random.integers(0, 200_000, 500))
    found = list(segments(rows, NAMES))
    for segment in {each.segment for each in found}:
        assert np.sum([each.rows for each in found if each.segment == segment], axis=0).tolist() == [1] * 500
    assert {each.segment for each in found} == {"channel", "entry_mode", "merchant_group", "amount", "country"}


def test_groups_are_named_in_words() -> None:
    values = [[5, 2, 6, 10, 250], [5, 1, 1, 1, 840], [5, 0, 0, 0, 0], [5, 1, 1, 1, 250]]
    rows = scored_rows([0.1] * 4, [0] * 4, values=values, amount_minor=[999, 1_000, 100_000, 20_000])
    groups = {(each.segment, each.group): np.flatnonzero(each.rows).tolist() for each in segments(rows, NAMES)}
    assert groups["channel", "ecommerce"] == [0]
    assert groups["entry_mode", "online"] == [0]
    assert groups["merchant_group", "gambling"] == [0]
    assert groups["country", "home"] == [0, 3]
    assert groups["country", "abroad"] == [1]
    assert groups["amount", "10 to 50"] == [1]
    assert groups["amount", "1,000 and more"] == [2]
    abroad = {each.group: np.flatnonzero(each.rows).tolist() for each in segments(rows, NAMES, home_country=840)}
    assert abroad["home"] == [1]


def test_without_feature_values_only_amounts_are_told_apart() -> None:
    assert {each.segment for each in segments(scored_rows([0.1], [0]), ())} == {"amount"}


def test_a_group_with_few_frauds_has_counts_only() -> None:
    rows = scored_rows([0.6] * 10 + [0.1] * 10, [1] * 9 + [0] * 11)
    (whole,) = segments(rows, ())
    few = measure(rows, whole, WEEK_MS)
    assert (few.rows, few.alerts, few.frauds, few.recall) == (20, 10, 9, None)
    more = scored_rows([0.6] * 10 + [0.1] * 10, [1] * 10 + [0] * 10)
    assert value(measure(more, whole, WEEK_MS).recall) == 1.0


def test_young_frauds_do_not_count_in_a_group_but_its_rows_and_alerts_do() -> None:
    rows = scored_rows([0.6] * 20, [1] * 20, day=[100] * 12 + [110] * 8, as_of_day=112)
    (whole,) = segments(rows, ())
    figures = measure(rows, whole, WEEK_MS)
    assert (figures.rows, figures.alerts, figures.frauds) == (20, 20, 12)
