"""The weights of a recurrent layer as the compiled kernels read them: four columns of whole vectors.

The columns of an LSTM are its gates i, f, g, o. Those of a GRU are r, z, and n in two parts, because its
reset gate multiplies what the state brings and not what the input brings: h_n, x_n. The number of units is
rounded up to whole vectors; those that are added stay at zero.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor
from torch.nn.functional import pad

from fxkit_signal.compiled.vectors import WIDTH

COLUMNS = 4
# What h is multiplied with: the last column of a GRU is what the input alone brings.
GATES = {"lstm": 4, "gru": 3}


@attrs.frozen(kw_only=True, eq=False)
class Layer:
    """Hold the weights of a layer of `size` units, rounded up to `units`.

    `wx` [4 * units, channels] and `bias` [4 * units] are None where the signal is what stands before the
    gates; then `extra` is what is added to it. `wh` is [4 * units, units]. `there` and `back` are `wh` in
    strips [units / WIDTH, units, gates, WIDTH]: for each input of a vector of units what it brings to their
    gates, and for each gate of each unit what it brings to a vector of inputs.
    """

    kind: str
    size: int
    units: int
    wx: Tensor | None
    wh: Tensor
    bias: Tensor | None
    there: Tensor
    back: Tensor
    extra: Tensor | None = None

    def padded(self, state: Tensor) -> Tensor:
        """Return [..., size] as [..., units]."""
        return state if self.size == self.units else pad(state, (0, self.units - self.size))

    def cut(self, state: Tensor) -> Tensor:
        """Return [..., units] as [..., size]."""
        return state if self.size == self.units else state[..., : self.size]

    def columns(self, signal: Tensor) -> Tensor:
        """Return what stands before the gates as columns; a signal that is to be multiplied as it is."""
        if self.wx is not None or (self.kind == "lstm" and self.size == self.units):
            return signal
        gates = signal.unflatten(-1, (-1, self.size))
        if self.extra is not None:
            brought, none = self.extra.unflatten(0, (-1, self.size)), torch.zeros_like(gates[..., :1, :])
            gates = _four(gates + pad(brought[:2], (0, 0, 0, 1)), none + brought[2:], dim=-2)
        return self.padded(gates).flatten(-2)


def lay_out(kind: str, w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> Layer:
    """Lay the weights of a layer out, differentiably; without `w_ih` for gates that are given."""
    size = w_hh.shape[1]
    units = -(-size // WIDTH) * WIDTH
    recurrent = w_hh.unflatten(0, (-1, size))
    if kind == "gru":
        recurrent = pad(recurrent, (0, 0, 0, 0, 0, 1))
    wh = pad(recurrent, (0, units - size, 0, units - size)).flatten(0, 1)
    wx = bias = None
    if w_ih is not None and b_ih is not None and b_hh is not None:
        inputs, inner, outer = (one.unflatten(0, (-1, size)) for one in (w_ih, b_ih, b_hh))
        # Summed before they are reshaped: the gradients of two views would share memory, and whoever adds to
        # one or scales it would change the other.
        total = (b_ih + b_hh).unflatten(0, (-1, size))
        if kind == "gru":
            inputs = _four(inputs, torch.zeros_like(inputs[:1]), dim=0)
            total = torch.cat((total[:2], outer[2:], inner[2:]))
        wx = pad(inputs, (0, 0, 0, units - size)).flatten(0, 1)
        bias = pad(total, (0, units - size)).flatten()
    there, back = _strips(wh.detach(), GATES[kind])
    extra = b_hh if w_ih is None else None
    return Layer(
        kind=kind, size=size, units=units, wx=wx, wh=wh, bias=bias, there=there, back=back, extra=extra
    )


def _four(gates: Tensor, brought: Tensor, dim: int) -> Tensor:
    """Put the column of what h brings to n in its place, between those of r and z and that of n."""
    first, last = gates.narrow(dim, 0, 2), gates.narrow(dim, 2, 1)
    return torch.cat((first, brought, last), dim)


def _strips(wh: Tensor, gates: int) -> tuple[Tensor, Tensor]:
    units = wh.shape[1]
    table = wh[: gates * units].unflatten(0, (gates, units))
    there = table.unflatten(1, (-1, WIDTH)).permute(1, 3, 0, 2)
    back = table.unflatten(2, (-1, WIDTH)).permute(2, 1, 0, 3)
    return there.contiguous(), back.contiguous()
