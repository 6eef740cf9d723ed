"""A card transaction as the bank publishes it on the topic `transactions`, keyed by card_id."""

import msgspec

from models.schema.field_types import (
    AmountMinor,
    Channel,
    CountryCode,
    CurrencyCode,
    EntryMode,
    Identifier,
    MerchantCategory,
    TimeMs,
    Version1,
    version_1,
)


class Transaction(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One card transaction; optional fields may be absent, unknown ones are ignored.

    Examples
    --------
    >>> from models.schema.wire import encode
    >>> encode(Transaction("t1", 1_525_132_800_000, "c7", "s3", 1250, "EUR", mcc="5411"))[:60]
    b'{"transaction_id":"t1","event_time":1525132800000,"card_id":'
    """

    transaction_id: Identifier
    event_time: TimeMs
    card_id: Identifier
    terminal_id: Identifier
    amount_minor: AmountMinor
    currency: CurrencyCode
    schema_version: Version1 = msgspec.field(default_factory=version_1)
    customer_id: Identifier | None = None
    account_id: Identifier | None = None
    merchant_id: Identifier | None = None
    mcc: MerchantCategory | None = None
    merchant_country: CountryCode | None = None
    channel: Channel | None = None
    entry_mode: EntryMode | None = None
    device_id: Identifier | None = None
