"""The frozen tables of codes."""

import pycountry

from models.schema.iso_codes import COUNTRY_NUMBERS, CURRENCY_EXPONENTS


def test_countries_are_those_of_iso_3166() -> None:
    assert {country.alpha_2: int(country.numeric) for country in pycountry.countries} == COUNTRY_NUMBERS


def test_currencies_are_those_of_iso_4217() -> None:
    assert {currency.alpha_3 for currency in pycountry.currencies} == CURRENCY_EXPONENTS.keys()


def test_minor_units_of_some_currencies_are_not_hundredths() -> None:
    assert [CURRENCY_EXPONENTS[code] for code in ("EUR", "JPY", "KWD", "CLF", "XAU")] == [2, 0, 3, 4, 0]
