"""Amounts as people read them."""

from models.schema.iso_codes import CURRENCY_EXPONENTS


def amount_text(amount_minor: int, currency: str) -> str:
    """Return an amount with its currency and as many decimals as that has.

    Examples
    --------
    >>> amount_text(123_456, "EUR"), amount_text(-50, "EUR"), amount_text(1200, "JPY")
    ('1,234.56 EUR', '-0.50 EUR', '1,200 JPY')
    """
    places = CURRENCY_EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(amount_minor), 10**places)
    sign = "-" if amount_minor < 0 else ""
    decimals = f".{rest:0{places}d}" if places else ""
    return f"{sign}{whole:,}{decimals} {currency}"
