"""The types that record fields share: identifiers, event times and codes, each with its limits."""

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from models.schema.iso_codes import COUNTRY_NUMBERS, CURRENCY_EXPONENTS

EARLIEST_MS = 946_684_800_000
"""2000-01-01T00:00:00Z, the first event time accepted."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z, the first event time no longer accepted."""
LARGEST_AMOUNT_MINOR = 10**12

Identifier = Annotated[str, Meta(min_length=1, max_length=64, description="1 to 64 characters, never a card number.")]
TimeMs = Annotated[
    int,
    Meta(
        ge=EARLIEST_MS, lt=LATEST_MS, description="Milliseconds since 1970-01-01T00:00:00Z, in the years 2000 to 2099."
    ),
]
AmountMinor = Annotated[
    int,
    Meta(ge=0, le=LARGEST_AMOUNT_MINOR, description="Whole minor units of the currency; 0 is an account verification."),
]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Version1 = Literal[1]

Channel = Literal["pos", "ecommerce", "atm", "moto"]
EntryMode = Literal["chip", "contactless", "magstripe", "manual", "stored", "online"]

if TYPE_CHECKING:
    CurrencyCode = str
    CountryCode = str
    MerchantCategory = str
else:
    # Literals, not patterns: msgspec looks them up in 30 ns and shares the string; a pattern costs 900 ns.
    CurrencyCode = Annotated[Literal[tuple(sorted(CURRENCY_EXPONENTS))], Meta(description="ISO 4217 alphabetic code.")]
    CountryCode = Annotated[Literal[tuple(sorted(COUNTRY_NUMBERS))], Meta(description="ISO 3166-1 alpha-2 code.")]
    MerchantCategory = Annotated[
        Literal[tuple(f"{code:04d}" for code in range(10_000))],
        Meta(description="ISO 18245 merchant category code, 4 digits."),
    ]


def version_1() -> Version1:
    """Return 1: a factory, because a plain default would be left out on the wire and the version must be there."""
    return 1
