"""Reasons in an analyst's words."""

from models.schema.score import ReasonCode
from stream_app.console.records.reasons import in_words, value_text


def test_a_flag_needs_no_value_and_an_unknown_code_stays_as_it_is():
    night, old = in_words([ReasonCode("IS_NIGHT", "is_night", 1.0, 0.5), ReasonCode("OLD", "gone", 2.5, 0.25)])
    assert (night.words, night.value) == ("made at night", "")
    assert (old.words, old.value) == ("OLD", "2.5")


def test_values_carry_their_unit_and_nothing_known_says_so():
    assert value_text("hour_of_day", 3.0) == "3 hours"
    assert value_text("amount", float("nan")) == "unknown"
    assert value_text("channel", 2.0) == "ecommerce"
    assert value_text("merchant_group", 7.0) == "7"
    assert value_text("country", 1.0) == "unknown"
    assert value_text("terminal_risk_7d", 0.125) == "12.5%"
