"""A flagged transaction in an analyst's words."""

from models.features.feature_set import DEFAULT
from models.schema.score import ReasonCode, Score
from models.schema.transaction import Transaction
from stream_app.demo.example import describe

AT = 1_735_689_600_000
TRANSACTION = Transaction("x1", AT, "k0000010", "t00042", 18_240, "EUR")


def scored(*reasons: ReasonCode) -> Score:
    return Score(
        transaction_id="x1",
        event_time=AT,
        card_id="k0000010",
        score=0.93,
        score_scaled=930,
        decision="review",
        reason_codes=list(reasons),
        model_version="m-1",
        feature_set=DEFAULT.version,
        role="champion",
        scored_at=AT,
        degraded=False,
        duplicate=False,
        source_offset=0,
        epoch=0,
        writer="w",
    )


def reason(feature: str, value: float) -> ReasonCode:
    return ReasonCode(feature.upper(), feature, value, 1.5)


def test_amount_place_card_reasons_and_truth_are_said_in_words() -> None:
    said = describe(scored(reason("card_amount_to_usual", 8.06)), TRANSACTION, DEFAULT, "account_takeover")
    assert said == (
        "review 930/999: 182.40 EUR at terminal t00042 by card k0000010. "
        "Why: amount far above what is usual for this card (8.1 times). In truth: account takeover"
    )


def test_a_flag_has_no_number_and_no_history_is_said_as_such() -> None:
    reasons = reason("card_is_new_terminal", 1.0), reason("card_hours_since_same_terminal", 720.0)
    said = describe(scored(*reasons), TRANSACTION, DEFAULT, None)
    assert (
        "Why: first payment at this terminal; time since the last payment at this terminal (none in 30 days)." in said
    )
    assert said.endswith("In truth: genuine")


def test_a_reason_that_holds_in_several_windows_is_said_once() -> None:
    reasons = reason("terminal_frauds_7d", 3.0), reason("terminal_frauds_30d", 9.0), reason("amount_is_round", 1.0)
    said = describe(scored(*reasons), TRANSACTION, DEFAULT, None)
    assert "Why: confirmed frauds at this terminal (3 transactions); round amount." in said


def test_an_amount_has_the_digits_of_its_currency() -> None:
    yen = Transaction("x1", AT, "k0000010", "t00042", 5_000, "JPY")
    assert "review 930/999: 5,000 JPY at" in describe(scored(), yen, DEFAULT, None)
