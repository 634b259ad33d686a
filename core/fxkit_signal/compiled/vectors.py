"""Vectors of neighbouring float32 numbers inside compiled kernels, and small matrix products of them.

As in `lanes`, whose values are eight float64: a vector is one machine register, `+`, `-`, `*` and `/` work
number by number. `advance` and `correlate` hold a block of sums in registers, which is what a matrix
product needs to keep the multipliers busy (Goto and van de Geijn, Anatomy of high-performance matrix
multiplication, 2008).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from fxkit_signal.compiled.lanes import part

_WIDE = bool(binding.get_host_cpu_features().get("avx512f", False))
# Numbers per vector, and the rows and vectors of a block of sums: as many as the machine's registers hold.
WIDTH = 16 if _WIDE else 8
ROWS, ACROSS = (8, 2) if _WIDE else (4, 2)
STRIP = WIDTH * ACROSS
SIDE = 4 if _WIDE else 2

_FLOAT, _WORD = ir.FloatType(), ir.IntType(32)
_VECTOR, _WORDS = ir.VectorType(_FLOAT, WIDTH), ir.VectorType(_WORD, WIDTH)


class _Vector(types.Type):
    """Type neighbouring float32 numbers that are worked on together."""


vector_type: Any = _Vector(f"Vector({WIDTH})")
_tuple: Any = types.UniTuple
block_type: Any = _tuple(vector_type, ROWS * ACROSS)
square_type: Any = _tuple(vector_type, SIDE * SIDE)
flat_type: Any = types.Array(types.float32, 1, "C")


def _instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    return intrinsic(function)


def _model(manager: Any, kind: _Vector) -> Any:
    primitive: Any = models.PrimitiveModel
    return primitive(manager, kind, _VECTOR)


register_model(_Vector)(_model)


def _constant(number: float) -> Any:
    return ir.Constant(_VECTOR, [number] * WIDTH)


def _splat(builder: Any, number: Any) -> Any:
    unset = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(unset, number, _WORD(0))
    return builder.shuffle_vector(single, unset, ir.Constant(ir.VectorType(_WORD, WIDTH), [0] * WIDTH))


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _read(builder: Any, data: Any, place: Any) -> Any:
    return builder.load(builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer()), align=4)


def _fused(builder: Any, left: Any, right: Any, more: Any) -> Any:
    product = builder.fmul(left, right, flags=("contract",))
    return builder.fadd(product, more, flags=("contract",))


@_instruction
def spread_out(_typing: Any, number: Any) -> Any:
    """Return a vector of the same number everywhere."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _splat(builder, arguments[0])

    return vector_type(types.float32), generate


@_instruction
def get(_typing: Any, numbers: Any, place: Any) -> Any:
    """Read the vector that begins at a place of a flat float32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _read(builder, _data(context, builder, signature.args[0], arguments[0]), arguments[1])

    return vector_type(flat_type, types.intp), generate


@_instruction
def put(_typing: Any, numbers: Any, place: Any, value: Any) -> Any:
    """Write the vector that begins at a place of a flat float32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        address = builder.bitcast(builder.gep(data, [arguments[1]]), _VECTOR.as_pointer())
        builder.store(arguments[2], address, align=4)
        return context.get_dummy_value()

    return types.void(flat_type, types.intp, vector_type), generate


def _operator(symbol: Any, name: str) -> None:
    @_instruction
    def operate(_typing: Any, left: Any, right: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments, flags=("contract",))

        return vector_type(vector_type, vector_type), generate

    @overload(symbol)
    def overloaded(left: Any, right: Any) -> Any:
        def implementation(left: Any, right: Any) -> Any:
            return operate(left, right)

        return implementation if left is vector_type and right is vector_type else None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")


@_instruction
def above(_typing: Any, tested: Any, limit: Any, yes: Any, no: Any) -> Any:
    """Take from `yes` where `tested` > `limit`, else from `no`, as where one of them is NaN."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        test = builder.fcmp_ordered(">", arguments[0], arguments[1])
        return builder.select(test, arguments[2], arguments[3])

    return vector_type(vector_type, vector_type, vector_type, vector_type), generate


@_instruction
def power_of_two(_typing: Any, shifted: Any) -> Any:
    """Return 2^n of integers n to which 1.5 * 2^23 was added, so that they stand in the last bits."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = builder.shl(builder.bitcast(arguments[0], _WORDS), ir.Constant(_WORDS, [23] * WIDTH))
        one = ir.Constant(_WORDS, [0x3F800000] * WIDTH)
        return builder.bitcast(builder.add(bits, one), _VECTOR)

    return vector_type(vector_type), generate


@_instruction
def total(_typing: Any, value: Any) -> Any:
    """Return the sum of the numbers of a vector, halves first."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        value, width = arguments[0], WIDTH
        while width > 1:
            width //= 2
            low, high = (
                ir.Constant(ir.VectorType(_WORD, width), list(range(a, a + width))) for a in (0, width)
            )
            value = builder.fadd(*(builder.shuffle_vector(value, value, part) for part in (low, high)))
        return builder.extract_element(value, _WORD(0))

    return types.float32(vector_type), generate


@_instruction
def nothing(_typing: Any) -> Any:
    """Return a square block of sums that are zero."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        return context.make_tuple(builder, square_type, [_constant(0.0)] * SIDE**2)

    return square_type(), generate


@_instruction
def begin(_typing: Any, numbers: Any, place: Any) -> Any:
    """Return a block of sums whose rows begin at the numbers that stand at a place of an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        places = [builder.add(arguments[1], arguments[1].type(row)) for row in range(ROWS)]
        rows = [_splat(builder, builder.load(builder.gep(data, [place]))) for place in places]
        return context.make_tuple(builder, block_type, [row for row in rows for _ in range(ACROSS)])

    return block_type(flat_type, types.intp), generate


@_instruction
def advance(_typing: Any, block: Any, weights: Any, at: Any, line: Any, place: Any) -> Any:
    """Add the product of ROWS weights, a column, and ACROSS vectors, a row, to a block of sums."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, _, at, _, place = arguments
        weights = _data(context, builder, signature.args[1], arguments[1])
        line = _data(context, builder, signature.args[3], arguments[3])
        read = [_read(builder, line, builder.add(place, place.type(i * WIDTH))) for i in range(ACROSS)]
        moved = []
        for row in range(ROWS):
            weight = _splat(builder, builder.load(builder.gep(weights, [builder.add(at, at.type(row))])))
            for i in range(ACROSS):
                older = builder.extract_value(sums, row * ACROSS + i)
                moved.append(_fused(builder, weight, read[i], older))
        return context.make_tuple(builder, block_type, moved)

    return block_type(block_type, flat_type, types.intp, flat_type, types.intp), generate


@_instruction
def finish(_typing: Any, block: Any, tile: Any, place: Any, step: Any) -> Any:
    """Write the rows of a block of sums, `step` numbers apart."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[1], arguments[1])
        for row in range(ROWS):
            start = builder.add(arguments[2], builder.mul(arguments[3], arguments[3].type(row)))
            for i in range(ACROSS):
                spot = builder.gep(data, [builder.add(start, start.type(i * WIDTH))])
                value = builder.extract_value(arguments[0], row * ACROSS + i)
                builder.store(value, builder.bitcast(spot, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(block_type, flat_type, types.intp, types.intp), generate


@_instruction
def correlate(
    _typing: Any, sums: Any, left: Any, at: Any, step: Any, right: Any, place: Any, stride: Any
) -> Any:
    """Add the products of SIDE vectors of one array with SIDE of another, each with each."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = []
        for array, first, apart in ((1, 2, 3), (4, 5, 6)):
            data = _data(context, builder, signature.args[array], arguments[array])
            jumps = [builder.mul(arguments[apart], arguments[apart].type(i)) for i in range(SIDE)]
            rows.append([_read(builder, data, builder.add(arguments[first], jump)) for jump in jumps])
        moved = [
            _fused(builder, rows[0][i], rows[1][k], builder.extract_value(arguments[0], i * SIDE + k))
            for i in range(SIDE)
            for k in range(SIDE)
        ]
        return context.make_tuple(builder, square_type, moved)

    place_type = types.intp
    return square_type(
        square_type, flat_type, place_type, place_type, flat_type, place_type, place_type
    ), generate


@_instruction
def gather_in(_typing: Any, sums: Any, totals: Any, place: Any) -> Any:
    """Add a square block of sums to the one that is kept at a place of an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[1], arguments[1])
        for i in range(SIDE**2):
            place = builder.add(arguments[2], arguments[2].type(i * WIDTH))
            address = builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())
            value = builder.fadd(builder.load(address, align=4), builder.extract_value(arguments[0], i))
            builder.store(value, address, align=4)
        return context.get_dummy_value()

    return types.void(square_type, flat_type, types.intp), generate


@_instruction
def fold(_typing: Any, sums: Any) -> Any:
    """Return a square block of sums as one vector: number i holds a share of vector i modulo SIDE^2."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        rows, step = [builder.extract_value(arguments[0], i) for i in range(SIDE**2)], 1
        while len(rows) > 1:
            own = [c + WIDTH if c & step else c for c in range(WIDTH)]
            near = [(c ^ step) + WIDTH if c & step else c ^ step for c in range(WIDTH)]
            orders = [ir.Constant(ir.VectorType(_WORD, WIDTH), order) for order in (own, near)]
            pairs = list(zip(rows[::2], rows[1::2], strict=True))
            rows = [builder.fadd(*(builder.shuffle_vector(a, b, o) for o in orders)) for a, b in pairs]
            step *= 2
        return rows[0]

    return vector_type(square_type), generate


@_instruction
def move(_typing: Any, target: Any, at: Any, source: Any, begins: Any, count: Any) -> Any:
    """Copy neighbouring numbers from one flat array to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, at, source, begins, count = arguments
        into = builder.gep(_data(context, builder, signature.args[0], target), [at])
        out_of = builder.gep(_data(context, builder, signature.args[2], source), [begins])
        cgutils.raw_memcpy(builder, into, out_of, count, count.type(4))
        return context.get_dummy_value()

    return types.void(flat_type, types.intp, flat_type, types.intp, types.intp), generate


@_instruction
def clear(_typing: Any, target: Any, at: Any, count: Any) -> Any:
    """Set neighbouring numbers of a flat array to zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, at, count = arguments
        into = builder.gep(_data(context, builder, signature.args[0], target), [at])
        cgutils.memset(builder, into, builder.mul(count, count.type(4)), 0)
        return context.get_dummy_value()

    return types.void(flat_type, types.intp, types.intp), generate


@_instruction
def _pointer(_typing: Any, address: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _FLOAT.as_pointer())

    return types.CPointer(types.float32)(types.intp), generate


@part
def numbers_at(address: int, count: int) -> Any:
    """Return `count` float32 numbers of somebody's memory as a flat array; nothing is copied or checked."""
    return carray(_pointer(address), (count,))
