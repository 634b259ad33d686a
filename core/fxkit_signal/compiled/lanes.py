"""Eight float64 numbers as one value inside compiled kernels: one machine vector, eight signals at once.

A compiler cannot see that eight recursions run side by side unless they are written so. `load` and
`store` move eight neighbouring numbers of a tile [samples, 8]; `+`, `-`, `*` and `/` work lane by lane, and
a product that is added becomes one fused instruction. Machines with narrower vectors take several
instructions for the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import errors
from numba.extending import intrinsic, models, overload, register_model

LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


class _Lanes(types.Type):
    """Type eight float64 numbers that are worked on together."""


lanes_type: Any = _Lanes(f"Lanes({LANES})")

Function = TypeVar("Function", bound=Callable[..., Any])


def part(function: Function) -> Function:
    """Compile a function that only kernels call: no entry from Python is made for it."""
    compile_it: Any = njit
    compiled: Function = compile_it(no_cpython_wrapper=True, error_model="numpy")(function)
    return compiled


def _instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    return intrinsic(function)


def _model(manager: Any, kind: _Lanes) -> Any:
    primitive: Any = models.PrimitiveModel
    return primitive(manager, kind, _VECTOR)


register_model(_Lanes)(_model)


def _contiguous(array: Any) -> Any:
    """Return the type of an array, which must not have gaps: the instructions below step over memory."""
    if array.layout != "C":
        raise errors.TypingError(f"lanes need contiguous arrays, got {array}")
    return array


def _order(order: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)


@_instruction
def splat(_typing: Any, number: Any) -> Any:
    """Return eight times the same number."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        unset = ir.Constant(_VECTOR, ir.Undefined)
        single = builder.insert_element(unset, arguments[0], ir.IntType(32)(0))
        return builder.shuffle_vector(single, unset, _order([0] * LANES))

    return lanes_type(types.float64), generate


def _address(context: Any, builder: Any, kind: Any, tile: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, tile).data
    row = builder.mul(index, ir.Constant(index.type, LANES))
    return builder.bitcast(builder.gep(data, [row]), _VECTOR.as_pointer())


@_instruction
def load(_typing: Any, tile: Any, row: Any) -> Any:
    """Read the eight numbers of one row of a contiguous float64 tile [rows, 8]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], *arguments)
        return builder.load(address, align=8)

    return lanes_type(_contiguous(tile), types.intp), generate


@_instruction
def store(_typing: Any, tile: Any, row: Any, value: Any) -> Any:
    """Write the eight numbers of one row of a contiguous float64 tile [rows, 8]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], address, align=8)
        return context.get_dummy_value()

    return types.void(_contiguous(tile), types.intp, lanes_type), generate


def _operator(symbol: Any, name: str) -> None:
    @_instruction
    def operate(_typing: Any, left: Any, right: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments, flags=("contract",))

        return lanes_type(lanes_type, lanes_type), generate

    @overload(symbol)
    def overloaded(left: Any, right: Any) -> Any:
        def implementation(left: Any, right: Any) -> Any:
            return operate(left, right)

        return implementation if left is lanes_type and right is lanes_type else None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")


@_instruction
def read(_typing: Any, signals: Any, place: Any) -> Any:
    """Read eight neighbouring numbers of a flat array, float32 or float64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        single = signature.args[0].dtype == types.float32
        vector = ir.VectorType(ir.FloatType(), LANES) if single else _VECTOR
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), vector.as_pointer())
        value = builder.load(address, align=4 if single else 8)
        return builder.fpext(value, _VECTOR) if single else value

    return lanes_type(_contiguous(signals), types.intp), generate


@_instruction
def write(_typing: Any, signals: Any, place: Any, value: Any) -> Any:
    """Write eight neighbouring numbers to a flat array, float32 or float64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        single = signature.args[0].dtype == types.float32
        vector = ir.VectorType(ir.FloatType(), LANES) if single else _VECTOR
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), vector.as_pointer())
        value = builder.fptrunc(arguments[2], vector) if single else arguments[2]
        builder.store(value, address, align=4 if single else 8)
        return context.get_dummy_value()

    return types.void(_contiguous(signals), types.intp, lanes_type), generate


_FOUR, _TWO = ir.VectorType(ir.DoubleType(), 4), ir.VectorType(ir.DoubleType(), 2)


@_instruction
def read_six(_typing: Any, signals: Any, place: Any) -> Any:
    """Read six neighbouring numbers of a flat float64 array; the last two are without meaning."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        first = builder.gep(data, [arguments[1]])
        second = builder.gep(first, [ir.Constant(arguments[1].type, 4)])
        four = builder.load(builder.bitcast(first, _FOUR.as_pointer()), align=8)
        two = builder.load(builder.bitcast(second, _TWO.as_pointer()), align=8)
        two = builder.shuffle_vector(two, two, _order([0, 1, 0, 1]))
        return builder.shuffle_vector(four, two, _order(list(range(LANES))))

    return lanes_type(_contiguous(signals), types.intp), generate


@_instruction
def write_six(_typing: Any, signals: Any, place: Any, value: Any) -> Any:
    """Write the first six numbers to neighbouring places of a flat float64 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        first = builder.gep(data, [arguments[1]])
        second = builder.gep(first, [ir.Constant(arguments[1].type, 4)])
        four = builder.shuffle_vector(arguments[2], arguments[2], _order([0, 1, 2, 3]))
        two = builder.shuffle_vector(arguments[2], arguments[2], _order([4, 5]))
        builder.store(four, builder.bitcast(first, _FOUR.as_pointer()), align=8)
        builder.store(two, builder.bitcast(second, _TWO.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(_contiguous(signals), types.intp, lanes_type), generate


@_instruction
def turn(_typing: Any, block: Any) -> Any:
    """Transpose eight values of eight numbers, exchanging halves, quarters and neighbours in turn."""
    tuple_of: Any = types.UniTuple
    kind = tuple_of(lanes_type, LANES)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        rows = [builder.extract_value(arguments[0], i) for i in range(LANES)]
        for step in (1, 2, 4):
            low = [c if not c & step else LANES + (c ^ step) for c in range(LANES)]
            high = [c | step if not c & step else LANES + c for c in range(LANES)]
            turned = list(rows)
            for i in (i for i in range(LANES) if not i & step):
                turned[i] = builder.shuffle_vector(rows[i], rows[i | step], _order(low))
                turned[i | step] = builder.shuffle_vector(rows[i], rows[i | step], _order(high))
            rows = turned
        return context.make_tuple(builder, kind, rows)

    return kind(kind), generate


@part
def tiles(rows: int) -> Any:
    """Return a tile [rows, 8] of zeros whose rows begin where a machine vector does best (64 bytes)."""
    space = np.empty((rows + 1) * LANES)
    first = (-(space.ctypes.data // 8)) % LANES
    tile = space[first : first + rows * LANES].reshape(rows, LANES)
    for row in range(rows):
        store(tile, row, splat(0.0))
    return tile


@part
def fill(tile: Any, signals: Any, places: Any, start: int, count: int) -> None:
    """Bring `count` samples of eight signals, which begin at `places` of a flat array, into a tile."""
    p0, p1, p2, p3 = places[0] + start, places[1] + start, places[2] + start, places[3] + start
    p4, p5, p6, p7 = places[4] + start, places[5] + start, places[6] + start, places[7] + start
    whole = count // LANES * LANES
    for n in range(0, whole, LANES):
        low = read(signals, p0 + n), read(signals, p1 + n), read(signals, p2 + n), read(signals, p3 + n)
        high = read(signals, p4 + n), read(signals, p5 + n), read(signals, p6 + n), read(signals, p7 + n)
        v0, v1, v2, v3, v4, v5, v6, v7 = turn(low + high)
        store(tile, n, v0)
        store(tile, n + 1, v1)
        store(tile, n + 2, v2)
        store(tile, n + 3, v3)
        store(tile, n + 4, v4)
        store(tile, n + 5, v5)
        store(tile, n + 6, v6)
        store(tile, n + 7, v7)
    for n in range(whole, count):
        for lane in range(LANES):
            tile[n, lane] = signals[places[lane] + start + n]


@part
def spill(tile: Any, signals: Any, places: Any, active: int, start: int, count: int) -> None:
    """Bring `count` samples of the first `active` signals of a tile back to their places."""
    whole = count // LANES * LANES if active == LANES else 0
    p0, p1, p2, p3 = places[0] + start, places[1] + start, places[2] + start, places[3] + start
    p4, p5, p6, p7 = places[4] + start, places[5] + start, places[6] + start, places[7] + start
    for n in range(0, whole, LANES):
        low = load(tile, n), load(tile, n + 1), load(tile, n + 2), load(tile, n + 3)
        high = load(tile, n + 4), load(tile, n + 5), load(tile, n + 6), load(tile, n + 7)
        v0, v1, v2, v3, v4, v5, v6, v7 = turn(low + high)
        write(signals, p0 + n, v0)
        write(signals, p1 + n, v1)
        write(signals, p2 + n, v2)
        write(signals, p3 + n, v3)
        write(signals, p4 + n, v4)
        write(signals, p5 + n, v5)
        write(signals, p6 + n, v6)
        write(signals, p7 + n, v7)
    for lane in range(active):
        for n in range(whole, count):
            signals[places[lane] + start + n] = tile[n, lane]
