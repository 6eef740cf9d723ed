"""Amounts of every currency in one reporting currency, by exact integer arithmetic and a versioned table of rates."""

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError, one_line
from models.schema.iso_codes import CURRENCY_EXPONENTS

_LONGEST_RATE: Final = 40
_SMALLEST_RATE, _LARGEST_RATE = Decimal("1e-12"), Decimal("1e12")
"""No currency is worth less, or more; the fraction of 1e999999999 would not fit the memory."""
LARGEST_REPORTED: Final = 2**62
"""An amount that is worth more counts as this: it must fit a column of int64."""
DEFAULT_RATES: Final = Path(__file__).with_name("exchange_rates.json")


class RatesError(FraudstreamError):
    """Raised when a table of rates cannot be used, or has no rate for a currency."""


class ReportingCurrency:
    """Turns minor units of any currency into minor units of one, rounding half to even.

    Parameters
    ----------
    currency: the reporting currency, ISO 4217.
    rates_version: names the table of rates; it is recorded beside every figure that depends on it.
    rates: what one unit of a currency is worth in units of the reporting currency, as decimal text so that it is exact.

    Raises
    ------
    RatesError: for an unknown code or a rate that is not a positive number.

    Examples
    --------
    >>> euro = ReportingCurrency("EUR", "example-1", {"USD": "0.92", "JPY": "0.0061"})
    >>> euro.to_reporting(1000, "USD"), euro.to_reporting(1000, "JPY"), euro.to_reporting(1000, "EUR")
    (920, 610, 1000)
    """

    def __init__(self, currency: str, rates_version: str, rates: Mapping[str, str]) -> None:
        self.currency: Final = _known(currency)
        self.rates_version: Final = rates_version
        self._ratios = {code: _ratio(code, rate, currency) for code, rate in rates.items()}
        self._ratios[currency] = (1, 1)
        self._currencies = frozenset(self._ratios)

    @classmethod
    def read(cls, path: Path = DEFAULT_RATES) -> "ReportingCurrency":
        """Read `{"version": ..., "currency": ..., "rates": {code: decimal text}}`."""
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            return cls(table["currency"], table["version"], table["rates"])
        except OSError as error:
            raise RatesError(f"cannot read the rates {path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = f"{type(error).__name__}: {one_line(error)}"
            raise RatesError(
                f"{path} is not a table of rates ({what}); see {DEFAULT_RATES.name} for the form"
            ) from None

    def knows(self, currency: str) -> bool:
        """Whether there is a rate for a currency."""
        return currency in self._currencies

    def knows_all(self, currencies: Collection[str]) -> bool:
        """Whether there is a rate for every one of some currencies."""
        return self._currencies.issuperset(currencies)

    def to_reporting(self, amount_minor: int, currency: str) -> int:
        """Return the amount in minor units of the reporting currency.

        Raises
        ------
        RatesError: when there is no rate for the currency.
        """
        if currency == self.currency:
            return amount_minor
        try:
            numerator, denominator = self._ratios[currency]
        except KeyError:
            raise RatesError(
                f"{self.rates_version} has no rate for {currency}; add it to the rates file, in {self.currency}"
            ) from None
        quotient, remainder = divmod(amount_minor * numerator, denominator)
        if 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2):
            quotient += 1
        return min(quotient, LARGEST_REPORTED)

    def column(self, amounts_minor: Sequence[int], currencies: Sequence[str]) -> Sequence[int]:
        """Return the amounts of a batch; as they are when all are in the reporting currency."""
        if currencies.count(self.currency) == len(currencies):
            return amounts_minor
        home, convert = self.currency, self.to_reporting
        pairs = zip(amounts_minor, currencies, strict=True)
        return [amount if currency == home else convert(amount, currency) for amount, currency in pairs]


@cache
def default_reporting_currency() -> ReportingCurrency:
    """Return euros by the illustrative rates of this package, which its rates_version names so."""
    return ReportingCurrency.read()


def _known(currency: str) -> str:
    if currency not in CURRENCY_EXPONENTS:
        raise RatesError(f"{currency!r:.40} is not an ISO 4217 currency code")
    return currency


def _ratio(currency: str, rate: str, reporting: str) -> tuple[int, int]:
    try:
        decimal = Decimal(str(rate)[:_LONGEST_RATE])
        value = Fraction(decimal) if _SMALLEST_RATE <= decimal <= _LARGEST_RATE else Fraction(0)
    except (InvalidOperation, ValueError, OverflowError):
        value = Fraction(0)
    if value <= 0:
        raise RatesError(
            f"the rate {str(rate)[:_LONGEST_RATE]!r} of {currency:.40} is not a positive decimal number in quotes, "
            f"between {_SMALLEST_RATE} and {_LARGEST_RATE}"
        )
    places = CURRENCY_EXPONENTS[reporting] - CURRENCY_EXPONENTS[_known(currency)]
    ratio = value * Fraction(10) ** places
    return ratio.numerator, ratio.denominator
