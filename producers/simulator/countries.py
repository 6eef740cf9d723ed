"""Countries of merchants: currency, clock, how often customers travel and order there."""

from typing import NamedTuple


class Country(NamedTuple):
    """One country: ISO 3166 alpha-2 code, ISO 4217 currency and what one euro costs in it.

    `hours_from_utc` is winter time, `travel` weighs it as a destination, `online` as the seat of online merchants,
    `magstripe_share` is how many physical payments still read the stripe.
    """

    code: str
    currency: str
    units_per_eur: float
    hours_from_utc: float
    travel: float
    online: float
    magstripe_share: float


COUNTRIES: tuple[Country, ...] = (
    Country("DE", "EUR", 1.0, 1, 8.0, 3.0, 0.004),
    Country("FR", "EUR", 1.0, 1, 8.0, 1.0, 0.004),
    Country("NL", "EUR", 1.0, 1, 5.0, 2.0, 0.004),
    Country("AT", "EUR", 1.0, 1, 8.0, 0.5, 0.004),
    Country("IT", "EUR", 1.0, 1, 9.0, 0.5, 0.008),
    Country("ES", "EUR", 1.0, 1, 10.0, 0.5, 0.008),
    Country("PT", "EUR", 1.0, 0, 3.0, 0.1, 0.008),
    Country("GR", "EUR", 1.0, 2, 4.0, 0.1, 0.012),
    Country("IE", "EUR", 1.0, 0, 1.0, 3.0, 0.004),
    Country("LU", "EUR", 1.0, 1, 1.0, 3.0, 0.004),
    Country("BE", "EUR", 1.0, 1, 2.5, 0.5, 0.004),
    Country("HR", "EUR", 1.0, 1, 4.0, 0.1, 0.008),
    Country("GB", "GBP", 0.84, 0, 5.0, 3.0, 0.004),
    Country("CH", "CHF", 0.94, 1, 4.0, 0.5, 0.004),
    Country("DK", "DKK", 7.46, 1, 2.0, 0.2, 0.004),
    Country("SE", "SEK", 11.4, 1, 2.0, 0.5, 0.004),
    Country("PL", "PLN", 4.25, 1, 4.0, 0.5, 0.004),
    Country("CZ", "CZK", 25.0, 1, 3.0, 0.2, 0.004),
    Country("HU", "HUF", 405.0, 1, 2.0, 0.1, 0.008),
    Country("TR", "TRY", 38.0, 3, 4.0, 0.2, 0.012),
    Country("EG", "EGP", 53.0, 2, 1.5, 0.0, 0.030),
    Country("TH", "THB", 36.0, 7, 1.5, 0.1, 0.030),
    Country("JP", "JPY", 162.0, 9, 0.8, 0.3, 0.020),
    Country("CN", "CNY", 7.6, 8, 0.4, 2.0, 0.020),
    Country("US", "USD", 1.06, -5, 3.0, 4.0, 0.120),
    Country("CA", "CAD", 1.49, -5, 0.8, 0.3, 0.020),
    Country("MX", "MXN", 21.5, -6, 0.6, 0.0, 0.060),
)
HOME_COUNTRIES: tuple[tuple[str, float], ...] = (("DE", 0.62), ("AT", 0.14), ("NL", 0.12), ("FR", 0.12))
