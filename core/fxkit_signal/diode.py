"""A capacitor, a resistor and two opposed diodes between one node and ground, driven by a current.

C dv/dt = i - G v - I (e^(v / a) - e^(-v / b)): saturation current I, and the emission voltage of either
diode (or string of diodes), a above zero and b below. Discretised, every sample is an implicit equation
in v alone (Yeh, Abel and Smith, "Simplified, physically-informed models of distortion and overdrive
guitar effects pedals", DAFx-07), solved by Newton's method in float64; its slopes follow from the
implicit function theorem, so that no step of the solver is kept.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from numpy import float64
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for

Rule = Literal["trapezoidal", "backward-euler"]
Rows = tuple[Tensor, Tensor, Tensor, Tensor]

# No circuit within nine decades of its quantities was found to need more than ten steps.
STEPS = 14


class Diodes(NamedTuple):
    """Hold a pair of opposed diodes: saturation current in ampere, emission voltages in volt.

    All > 0, [batch, 1, 1]. `above` belongs to the diode that limits positive voltages.
    """

    saturation: Tensor
    above: Tensor
    below: Tensor


class DiodeNode(NamedTuple):
    """Hold what `run_node` needs of the components: see `diode_node`.

    `total` [batch, 1, 1 or samples] is the conductance with the capacitor's share; the columns of
    `constants` [batch, 1, 4] are the factor of the history, and the diodes' values; `flip` is 1 for the
    trapezoidal rule.
    """

    total: Tensor
    constants: Tensor
    flip: float


def diode_node(
    conductance: Tensor,
    capacitance: Tensor,
    diodes: Diodes,
    rate: float,
    rule: Rule = "trapezoidal",
) -> DiodeNode:
    """Discretise the node of a capacitor, a resistor and diodes.

    `conductance` > 0 in siemens [batch, 1, 1 or samples]; `capacitance` > 0 in farad [batch, 1, 1];
    `rate` in Hz. The trapezoidal rule is the more exact one; backward Euler damps where the diodes make
    the equation stiff.
    """
    doubled = rule == "trapezoidal"
    charge = (2.0 if doubled else 1.0) * rate * capacitance.double()
    kept = (2 if doubled else 1) * charge
    constants = torch.cat([kept, *(value.double() for value in diodes)], dim=-1)
    return DiodeNode(conductance.double() + charge, constants, float(doubled))


def run_node(current: Tensor, node: DiodeNode, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the voltage in volt, float64 [batch, channels, samples], and the next state.

    `current` in ampere [batch, channels, samples]. The state is the capacitor's history current, float64
    [batch, channels]; None means an empty capacitor. Differentiable once with respect to everything.
    Without the compiled kernel there is a loop over the samples: the same results, much more slowly.
    Tensors on a GPU are solved on the CPU.
    """
    batch, channels, samples = current.shape
    start = current.new_zeros(batch, channels, dtype=torch.float64) if state is None else state
    driven = current.double()
    if samples == 0:
        return driven, start
    total = node.total.expand(batch, channels, -1).flatten(0, 1)
    constants = node.constants.expand(batch, channels, 4).flatten(0, 1)
    rows = (driven.flatten(0, 1), total, constants, start.flatten())
    out, end = _solved(rows, node.flip)
    return out.view(current.shape), end.view(batch, channels)


def _solved(rows: Rows, flip: float) -> tuple[Tensor, Tensor]:
    if compiled_for(*rows):
        return _Compiled.apply(*rows, flip)  # type: ignore[no-untyped-call, no-any-return]
    device = rows[0].device
    if device.type == "cpu" or torch.compiler.is_compiling():
        return _looped(*rows, flip)
    # Sample after sample, a CPU is so much faster than a GPU that the way there and back is worth it.
    current, total, constants, start = (row.cpu() for row in rows)
    out, end = _solved((current, total, constants, start), flip)
    return out.to(device), end.to(device)


class _Compiled(torch.autograd.Function):
    """Run the compiled solver over rows."""

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, g: Tensor, constants: Tensor, start: Tensor, flip: float
    ) -> tuple[Tensor, Tensor]:
        from fxkit_signal.compiled.diode import solve

        given = (_array(current), _array(g), _array(constants), _array(start), flip)
        out, end = map(torch.from_numpy, solve(*given))
        ctx.save_for_backward(out, g, constants)
        ctx.flip = flip
        return out, end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor, grad_end: Tensor) -> tuple[Tensor | None, ...]:
        from fxkit_signal.compiled.diode import solve_adjoint

        out, g, constants = map(_array, ctx.saved_tensors)
        found = solve_adjoint(_array(grad_out), _array(grad_end), out, g, constants, ctx.flip)
        return (*map(torch.from_numpy, found), None)


def _array(values: Tensor) -> NDArray[float64]:
    return values.detach().contiguous().numpy()


def _looped(
    current: Tensor, g: Tensor, constants: Tensor, start: Tensor, flip: float
) -> tuple[Tensor, Tensor]:
    kept, *diodes = constants.unbind(-1)
    each = g.expand(current.shape).unbind(-1)
    history, out = start, []
    for incoming, total in zip(current.unbind(-1), each, strict=True):
        v = _voltage(incoming + history, total, Diodes(*diodes))
        out.append(v)
        history = kept * v - flip * history
    return torch.stack(out, dim=-1), history


def _voltage(p: Tensor, g: Tensor, diodes: Diodes) -> Tensor:
    """Solve g v + I (e^(v / a) - e^(-v / b)) = p element by element."""
    saturation, above, below = diodes
    with torch.no_grad():
        size = p.abs()
        ahead = torch.where(p >= 0, above, below)
        back = torch.where(p >= 0, below, above)
        v = torch.minimum(size / g, ahead * torch.log1p(size / saturation))
        for _ in range(STEPS):
            up, down = saturation * torch.exp(v / ahead), saturation * torch.exp(-v / back)
            step = (g * v + up - down - size) / (g + up / ahead + down / back)
            v = (v - step).clamp(min=0)
        v = torch.where(p >= 0, v, -v)
        slope = g + saturation * (torch.exp(v / above) / above + torch.exp(-v / below) / below)
    # One more step with everything live has the slopes of the implicit function.
    excess = g * v + saturation * (torch.exp(v / above) - torch.exp(-v / below)) - p
    return v - excess / slope
