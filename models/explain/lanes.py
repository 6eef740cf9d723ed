"""Eight float32 numbers as one value inside a numba kernel: what is done to them is done to all at once.

numba leaves it to LLVM to find out which loops can run in vector registers, and it finds none in a loop of eight: that
one is unrolled before it is looked at, and stores into one array might change what the next load reads from another.
Here nothing has to be found. A processor without registers of this width takes them in halves.

References
----------
numba documentation, "Low-level extension API"; LLVM language reference, "Vector Type".
"""

import operator
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core.datamodel.models import PrimitiveModel
from numba.extending import intrinsic, overload, register_model

LANES: Final = 8

_FLOAT: Final = ir.FloatType()
_VECTOR: Final = ir.VectorType(_FLOAT, LANES)
_INDEX: Final = ir.IntType(32)
_FLOAT_BYTES: Final = 4
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
"""What it decorates takes one argument less than it is written with."""
_FUSED: Final = ("contract",)
"""A product and the sum behind it may be one instruction, rounded once."""


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"float32x{LANES}")


_lanes: Final = _LanesType()


@register_model(_LanesType)
class _LanesModel(PrimitiveModel):
    def __init__(self, manager: Any, kind: _LanesType) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _address(context: Any, builder: ir.IRBuilder, kind: Any, array: Any, line: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    first = builder.mul(line, ir.Constant(line.type, LANES))
    return builder.bitcast(builder.gep(data, [first]), _VECTOR.as_pointer())


@_intrinsic
def load(_typing: Any, array: Any, _line: Any) -> Any:
    """Return a line of a contiguous float32 [lines, LANES]; whether there is one is not looked at."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        array, line = given
        return builder.load(_address(context, builder, signature.args[0], array, line), align=_FLOAT_BYTES)

    return _lanes(array, types.uint64), generate


@_intrinsic
def store(_typing: Any, array: Any, _line: Any, lanes: Any) -> Any:
    """Write a line of a contiguous float32 [lines, LANES]; whether there is one is not looked at."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        array, line, lanes = given
        builder.store(lanes, _address(context, builder, signature.args[0], array, line), align=_FLOAT_BYTES)
        return context.get_dummy_value()

    return types.void(array, types.uint64, lanes), generate


@_intrinsic
def spread(_typing: Any, _number: Any) -> Any:
    """Return a number in all lanes."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, given: Any) -> Any:
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(undefined, given[0], ir.Constant(_INDEX, 0))
        return builder.shuffle_vector(first, undefined, _places([0] * LANES))

    return _lanes(types.float32), generate


@_intrinsic
def total(_typing: Any, _vector: Any) -> Any:
    """Return the sum of the lanes, halves first."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, given: Any) -> Any:
        (left,) = given
        width = LANES
        while width > 1:
            width //= 2
            undefined = ir.Constant(left.type, ir.Undefined)
            lower = builder.shuffle_vector(left, undefined, _places(range(width)))
            upper = builder.shuffle_vector(left, undefined, _places(range(width, 2 * width)))
            left = builder.fadd(lower, upper)
        return builder.extract_element(left, ir.Constant(_INDEX, 0))

    return types.float32(_lanes), generate


def _places(places: Any) -> Any:
    return ir.Constant(ir.VectorType(_INDEX, len(places)), list(places))


def _allow(symbol: Callable[[Any, Any], Any], instruction: str) -> None:
    """Let a kernel write `symbol` between lanes, or between lanes and a number."""

    @_intrinsic
    def compute(_typing: Any, _left: Any, _right: Any) -> Any:
        def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, given: Any) -> Any:
            return getattr(builder, instruction)(*given, flags=_FUSED)

        return _lanes(_lanes, _lanes), generate

    @overload(symbol, strict=False)
    def _(left: Any, right: Any) -> Any:
        if left is _lanes and right is _lanes:
            return lambda left, right: compute(left, right)  # noqa: PLW0108 - numba wants the names
        if left is _lanes and right is types.float32:
            return lambda left, right: compute(left, spread(right))
        if left is types.float32 and right is _lanes:
            return lambda left, right: compute(spread(left), right)
        return None


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _allow(_symbol, _instruction)
