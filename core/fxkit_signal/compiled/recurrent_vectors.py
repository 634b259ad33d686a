"""What the recurrent kernels need beyond `vectors`: the product of a step, and functions of its gates."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fxkit_signal.compiled.lanes import part
from fxkit_signal.compiled.vectors import (
    WIDTH,
    _data,
    _fused,
    _read,
    _splat,
    above,
    flat_type,
    power_of_two,
    spread_out,
)

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)

# Beyond it sigmoid and tanh have arrived, and products of two exponentials are still finite.
LIMIT = 40.0
# Adding it leaves the nearest integer of a number in its lowest bits.
ROUNDER = 12582912.0
# What is carried on becomes zero where its square is less: arithmetic on denormal numbers is slow.
TINY = 1e-36


@part
def expm1(x: Any) -> Any:
    """Return e^x - 1 to its last digits near zero too, x held within 40 of zero.

    With it sigmoid(x) = 1 / (2 + expm1(-x)) and tanh(x) = expm1(2 x) / (2 + expm1(2 x)) keep their
    relative accuracy everywhere. e^x = 2^n e^r, with e^r - 1 = r + r^2 p(r) to 1.4e-8 of its value by the
    minimax polynomial for |r| <= ln(2) / 2, and ln(2) in two parts (Cody and Waite, Software manual for the
    elementary functions, 1980, chapter 6).
    """
    limit, one = spread_out(LIMIT), spread_out(1.0)
    x = above(x, limit, limit, x)
    x = above(spread_out(-LIMIT), x, spread_out(-LIMIT), x)
    shifted = x * spread_out(1.4426950408889634) + spread_out(ROUNDER)
    whole = shifted - spread_out(ROUNDER)
    r = whole * spread_out(-0.693359375) + x
    r = whole * spread_out(2.12194440e-4) + r
    p = spread_out(0.001388251781463623) * r + spread_out(0.008366547524929047)
    p = p * r + spread_out(0.04166720062494278)
    p = p * r + spread_out(0.1666654348373413)
    p = p * r + spread_out(0.4999999701976776)
    q = r * r * p + r
    power = power_of_two(shifted)
    return power * q + (power - one)


@part
def settled(x: Any) -> Any:
    """Return x, or zero where it is about to die away."""
    return above(spread_out(TINY), x * x, spread_out(0.0), x)


def gathering(gates: int, items: int, ways: int, own: bool) -> Any:
    """Make the instruction that multiplies a strip of weights with the inputs of several items.

    The strip holds `count` rows of one vector per gate from `first` on. Item i reads its numbers from
    `place + i * pitch` on, `span` further for each gate if every gate has its `own`. The sums, [items,
    gates] vectors, are written over those of before. Sums over every `ways`-th row run side by side:
    one sum alone would wait for its own last result.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, x, out = (_data(context, builder, signature.args[i], arguments[i]) for i in (0, 2, 7))
        first, place, pitch, span, count = (arguments[i] for i in (1, 3, 4, 5, 6))
        word = first.type
        totals = [cgutils.alloca_once(builder, _VECTOR) for _ in range(items * gates * ways)]
        for total in totals:
            builder.store(ir.Constant(_VECTOR, [0.0] * WIDTH), total)
        with cgutils.for_range(builder, builder.udiv(count, word(ways)), intp=word) as loop:
            for way in range(ways):
                k = builder.add(builder.mul(loop.index, word(ways)), word(way))
                row = builder.add(first, builder.mul(k, word(gates * WIDTH)))
                strip = [_read(builder, weights, builder.add(row, word(g * WIDTH))) for g in range(gates)]
                for item in range(items):
                    at = builder.add(builder.add(place, builder.mul(pitch, word(item))), k)
                    places = [builder.add(at, builder.mul(span, word(g))) for g in range(gates if own else 1)]
                    numbers = [_splat(builder, builder.load(builder.gep(x, [at]))) for at in places]
                    for g in range(gates):
                        total = totals[(item * gates + g) * ways + way]
                        product = _fused(builder, strip[g], numbers[g if own else 0], builder.load(total))
                        builder.store(product, total)
        for i in range(items * gates):
            value = builder.load(totals[i * ways])
            for way in range(1, ways):
                value = builder.fadd(value, builder.load(totals[i * ways + way]))
            address = builder.gep(out, [word(i * WIDTH)])
            builder.store(value, builder.bitcast(address, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    def gather(
        _typing: Any,
        weights: Any,
        first: Any,
        inputs: Any,
        place: Any,
        pitch: Any,
        span: Any,
        count: Any,
        sums: Any,
    ) -> Any:
        number = types.intp
        return types.void(flat_type, number, flat_type, number, number, number, number, flat_type), generate

    return intrinsic(gather)
