"""Amounts in one reporting currency."""

import json
from fractions import Fraction
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from models.schema.iso_codes import CURRENCY_EXPONENTS
from models.schema.money import LARGEST_REPORTED, RatesError, ReportingCurrency, default_reporting_currency

EURO = ReportingCurrency("EUR", "test-1", {"USD": "0.5", "JPY": "0.006", "KWD": "3", "CLF": "35.5"})


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (1234, "EUR", 1234),
        (100, "USD", 50),
        (1000, "JPY", 600),
        (1000, "KWD", 300),
        (10_000, "CLF", 3550),
        (1, "USD", 0),
        (3, "USD", 2),
        (5, "USD", 2),
        (7, "USD", 4),
    ],
)
def test_minor_units_are_turned_and_rounded_half_to_even(amount_minor: int, currency: str, expected: int) -> None:
    assert EURO.to_reporting(amount_minor, currency) == expected


@given(st.integers(0, 10**12), st.integers(1, 10**9), st.integers(0, 9))
def test_the_result_is_the_exact_product_rounded(amount_minor: int, digits: int, places: int) -> None:
    rate = f"{digits // 10**places}.{digits % 10**places:0{places}d}" if places else str(digits)
    rates = ReportingCurrency("EUR", "test", {"USD": rate})
    assert rates.to_reporting(amount_minor, "USD") == min(round(amount_minor * Fraction(rate)), LARGEST_REPORTED)


def test_a_column_of_the_reporting_currency_is_passed_on_as_it_is() -> None:
    amounts = [1, 2, 3]
    assert EURO.column(amounts, ["EUR"] * 3) is amounts
    assert EURO.column(amounts, ["EUR", "USD", "EUR"]) == [1, 1, 3]


def test_an_unknown_currency_is_named_with_the_remedy() -> None:
    with pytest.raises(RatesError, match=r"test-1 has no rate for GBP; add it to the rates file"):
        EURO.to_reporting(1, "GBP")


@pytest.mark.parametrize("rate", ["0", "-1", "abc", "NaN", "Infinity", ""])
def test_a_rate_that_is_no_positive_number_is_refused(rate: str) -> None:
    with pytest.raises(RatesError, match="not a positive decimal number"):
        ReportingCurrency("EUR", "test", {"USD": rate})


def test_codes_that_are_no_currency_are_refused() -> None:
    with pytest.raises(RatesError, match="'EURO' is not an ISO 4217"):
        ReportingCurrency("EURO", "test", {})
    with pytest.raises(RatesError, match="'XYZ' is not an ISO 4217"):
        ReportingCurrency("EUR", "test", {"XYZ": "1"})


def test_the_rates_of_the_package_are_named_illustrative_and_know_every_currency_in_use() -> None:
    rates = default_reporting_currency()
    funds = {"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "VED", "XAD"}
    assert rates.currency == "EUR"
    assert "illustrative" in rates.rates_version
    assert {code for code in CURRENCY_EXPONENTS if not code.startswith("X")} - funds == {
        code for code in CURRENCY_EXPONENTS if rates.knows(code) and not code.startswith("X")
    }


def test_rates_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    path.write_text(json.dumps({"version": "bank-7", "currency": "USD", "rates": {"EUR": "2"}}))
    rates = ReportingCurrency.read(path)
    assert (rates.rates_version, rates.to_reporting(5, "EUR")) == ("bank-7", 10)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version":"1","currency":"EUR","rates":7}'])
def test_a_file_that_is_no_table_of_rates_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(text)
    with pytest.raises(RatesError, match=r"rates\.json"):
        ReportingCurrency.read(path)
    with pytest.raises(RatesError, match="No such file"):
        ReportingCurrency.read(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    "rate", ["1e999999999", "1e-999999999", "1e13", "0", "-1", "NaN", "Infinity", "", "9" * 10_000]
)
def test_a_rate_that_no_currency_has_is_refused_before_it_is_taken_for_a_fraction(rate: str) -> None:
    with pytest.raises(RatesError, match="of USD is not a positive decimal number"):
        ReportingCurrency("EUR", "test", {"USD": rate})


def test_an_amount_beyond_every_column_counts_as_the_largest() -> None:
    rates = ReportingCurrency("EUR", "test", {"USD": "1e12"})
    assert rates.column([10**12, 1], ["USD", "EUR"]) == [LARGEST_REPORTED, 1]
