"""Records for `transactions` as a broken, careless or hostile producer would send them, among ordinary ones."""

import random
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from models.schema import wire
from models.schema.field_types import EARLIEST_MS, LARGEST_AMOUNT_MINOR, LATEST_MS
from models.schema.transaction import Transaction

Record: TypeAlias = tuple[bytes | None, bytes | None]
"""Key and value."""

LARGEST_VALUE_BYTES: Final = 8 * 1024 * 1024 - 512
"""So large that with its key it just fits the 8 MiB that the topic takes at most."""
_START_MS: Final = 1_525_132_800_000
_STEP_MS: Final = 2_000
_CARDS: Final = 2_000
_TERMINALS: Final = 500
_LARGE_EVERY: Final = 2_000
"""Every so many records one is far too long: from 64 KiB to a megabyte."""
_LARGEST_EVERY: Final = 50_000

HOSTILE_VALUES: Final = (
    "null", "true", "0", "-1", "1e400", "-1e400", "1.5", "NaN", "Infinity", "9" * 25, "9" * 5_000, "1." + "0" * 500,
    '""', '"\\ud800"', '"\\u0000"', '"\u202e\u0085"', '"' + "x" * 65 + '"', '"' + "é" * 64 + '"', '"2018-05-01"',
    "[]", "{}", "[" * 60 + "]" * 60, "[" * 500 + "]" * 500, '{"a":' * 2_000 + "1" + "}" * 2_000, '"' + "[" * 999 + '"',
    "[" + "0," * 4_000 + "0]", '"' + "x" * 9_000 + '"', '"EUR"', '"xxx"', "'", "", "\\", '"\\', "1 2", '{"$ref":"#"}',
    str(EARLIEST_MS), str(LATEST_MS - 1), str(LATEST_MS), str(2**63), str(LARGEST_AMOUNT_MINOR), "4111111111111111",
    '"4111 1111 1111 1111"', '"\\u0034111111111111111"',
)  # fmt: skip
"""JSON, nearly JSON and no JSON, put where a field's value stands."""
_ENCODINGS: Final = ("utf-16", "utf-32", "utf-8-sig", "cp037")


def fuzzed_records(n: int, seed: int) -> Iterator[Record]:
    """Yield n records, the same for the same seed: about half ordinary, the rest wrong in as many ways as there are.

    Examples
    --------
    >>> records = list(fuzzed_records(1_000, seed=7))
    >>> records == list(fuzzed_records(1_000, seed=7))
    True
    >>> sum(value is None for _, value in records) > 0
    True
    """
    bank = _Bank(random.Random(seed))  # noqa: S311  no secret: a test that can be repeated
    for number in range(n):
        if number % _LARGEST_EVERY == _LARGEST_EVERY // 2:
            yield bank.largest()
        elif number % _LARGE_EVERY == _LARGE_EVERY // 2:
            yield bank.large()
        else:
            yield bank.record()


def bent(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return bytes after an accident: some changed, lost, put in, doubled, cut off, or two messages run together.

    Parameters
    ----------
    content: what it happens to.
    other: what may run into it.
    """
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + chance.randint(1, 8)]
            case 2:
                changed[at:at] = chance.randbytes(chance.randint(1, 4))
            case 3:
                changed[at:at] = changed[at : at + 40]
            case 4:
                del changed[at:]
            case _:
                changed[at:at] = other[chance.randrange(40) :]
    return bytes(changed)


class _Bank:
    """Makes one record after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._number = 0
        self._earlier: list[Record] = []
        self._kinds: tuple[tuple[Callable[[], Record], int], ...] = (
            (self._ordinary, 50),
            (self._astray, 4),
            (self._repeated, 3),
            (self._extreme, 4),
            (self._bent_bytes, 18),
            (self._bent_field, 14),
            (self._garbage, 7),
        )
        self._makers, self._weights = zip(*self._kinds, strict=True)

    def record(self) -> Record:
        """One of any kind."""
        (maker,) = self._chance.choices(self._makers, self._weights)
        made: Record = maker()
        return made

    def large(self) -> Record:
        """A record that is well-formed but for its length."""
        return self._padded(self._chance.choice([65_536, 65_537, 65_800, 100_000, 500_000, 1_000_000]))

    def largest(self) -> Record:
        """A record that just fits the topic."""
        return self._padded(LARGEST_VALUE_BYTES)

    def _transaction(self) -> Transaction:
        chance = self._chance
        self._number += 1
        return Transaction(
            f"h{self._number}", _START_MS + self._number * _STEP_MS, f"card-{chance.randrange(_CARDS)}",
            f"terminal-{chance.randrange(_TERMINALS)}", chance.randrange(1, 50_000), "EUR",
            mcc=chance.choice([None, "5411", "5812"]), merchant_country=chance.choice([None, "DE", "FR"]),
            channel=chance.choice([None, "pos", "ecommerce"]),
        )  # fmt: skip

    def _ordinary(self) -> Record:
        transaction = self._transaction()
        record = transaction.card_id.encode(), wire.encode(transaction)
        if len(self._earlier) < _CARDS or self._chance.random() < 0.1:  # noqa: PLR2004  some of them
            self._earlier.append(record)
        return record

    def _astray(self) -> Record:
        """A key that is not the card's, so that the record lies on a partition that is not its own."""
        return self._chance.choice([None, b"", b"card-1", b"\xff\x00", b"k" * 20_000]), self._ordinary()[1]

    def _repeated(self) -> Record:
        return self._chance.choice(self._earlier) if self._earlier else self._ordinary()

    def _extreme(self) -> Record:
        """Valid at the edge of what is."""
        chance, transaction = self._chance, self._transaction()
        fields = {
            "event_time": chance.choice([EARLIEST_MS, LATEST_MS - 1, transaction.event_time - 86_400_001]),
            "amount_minor": chance.choice([0, 1, LARGEST_AMOUNT_MINOR]),
            "card_id": chance.choice(["\x00", "x" * 64, "😀" * 64, transaction.card_id]),
            "terminal_id": chance.choice([" ", "é" * 64, transaction.terminal_id]),
            "currency": chance.choice(["EUR", "USD", "JPY", "KWD"]),
        }
        chosen = {name: fields[name] for name in chance.sample(list(fields), chance.randint(1, 3))}
        content = {**{name: getattr(transaction, name) for name in transaction.__struct_fields__}, **chosen}
        changed = Transaction(**content)
        return changed.card_id.encode(), wire.encode(changed)

    def _bent_bytes(self) -> Record:
        """An ordinary record after an accident."""
        key, value = self._ordinary()
        return key, bent(value or b"", self._ordinary()[1] or b"", self._chance)

    def _bent_field(self) -> Record:
        """A well-formed object in which one field holds something else, stands twice or is called otherwise."""
        chance, transaction = self._chance, self._transaction()
        text = wire.encode(transaction).decode()
        field = chance.choice(["transaction_id", "event_time", "card_id", "terminal_id", "amount_minor", "currency",
                               "schema_version", "mcc", "channel", "device_id", "a_new_one"])  # fmt: skip
        bent = f'{text[:-1]},"{field}":{chance.choice(HOSTILE_VALUES)}}}'
        if chance.random() < 0.3:  # noqa: PLR2004  some of them lose a field besides
            bent = bent.replace(f'"{chance.choice(["card_id", "currency", "event_time"])}"', '"lost"', 1)
        return transaction.card_id.encode(), bent.encode("utf-8", "surrogatepass")

    def _garbage(self) -> Record:
        chance = self._chance
        key, value = self._ordinary()
        text = (value or b"").decode()
        made: list[Callable[[], bytes | None]] = [
            lambda: None,
            lambda: b"",
            lambda: chance.randbytes(chance.randint(1, 300)),
            lambda: text.encode(chance.choice(_ENCODINGS)),
            lambda: b"[" * chance.randint(1, 30_000),
            lambda: b'{"' + b'\\"' * chance.randint(1, 10_000),
            f"[{text},{text}]".encode,
            lambda: chance.choice(HOSTILE_VALUES).encode("utf-8", "surrogatepass"),
        ]
        return key, chance.choice(made)()

    def _padded(self, length: int) -> Record:
        key, value = self._ordinary()
        beginning = (value or b"")[:-1] + b',"x":"'
        filler = self._chance.choice([b"x", b"\\n", b"4", b"4111 1111 1111 1111 "])
        room = max(0, length - len(beginning) - 2)
        return key, beginning + (filler * (room // len(filler) + 1))[: room - room % len(filler)] + b'"}'
