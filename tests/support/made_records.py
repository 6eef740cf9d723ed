"""A valid record of any struct, made from its types, and what may become of its bytes on the way."""

import random
import re
from typing import Any

import msgspec
from msgspec import inspect

from stream_app.chaos.hostile_records import HOSTILE_VALUES, bent

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null')
TIME_MS = 1_700_000_000_000
TEXTS = {"^[a-z][a-z0-9_]{0,39}$": "card_testing"}


def valid(record: type[Any]) -> bytes:
    """JSON of a record of a struct, every field and every list filled."""
    made: bytes = msgspec.json.encode(_made(inspect.type_info(record)))
    return made


def _made(info: inspect.Type) -> Any:  # noqa: C901, PLR0911  one case for each kind of type
    match info:
        case inspect.StructType():
            return {field.encode_name: _made(field.type) for field in info.fields}
        case inspect.UnionType():
            return _made(next(one for one in info.types if not isinstance(one, inspect.NoneType)))
        case inspect.LiteralType():
            return info.values[0]
        case inspect.Metadata():
            return _made(info.type)
        case inspect.IntType() | inspect.FloatType():
            return _number(info)
        case inspect.StrType():
            return TEXTS.get(info.pattern or "", "text"[: info.max_length or 4])
        case inspect.DictType():
            key = _made(info.key_type)
            return {key if isinstance(key, str) else str(key): _made(info.value_type)}
        case inspect.ListType() | inspect.VarTupleType():
            return [_made(info.item_type)] * (info.min_length or 1)
        case inspect.TupleType():
            return [_made(one) for one in info.item_types]
        case inspect.BoolType():
            return True
        case inspect.BytesType():
            return "AAAA"
        case inspect.AnyType():
            return {"any": [1, "thing"]}
    raise NotImplementedError(info)


def _number(info: inspect.IntType | inspect.FloatType) -> float:
    if info.ge is not None and info.ge > TIME_MS / 2:
        return TIME_MS
    wished = 1 if isinstance(info, inspect.IntType) else 0.15
    return max(info.ge or 0, min(wished, info.le if info.le is not None else wished))


def mutated(content: bytes, chance: random.Random, other: bytes = b"") -> bytes:
    """Bytes after an accident, or JSON in which one value has become something else."""
    tokens = list(_TOKEN.finditer(content)) if content[:1] in b"{[" else []
    if not tokens or chance.random() < 0.4:
        return bent(content, other or content, chance)
    place = chance.choice(tokens)
    value = chance.choice(HOSTILE_VALUES).encode("utf-8", "surrogatepass")
    return content[: place.start()] + value + content[place.end() :]
