"""The modules of waveshapers: apply a curve sample by sample, or averaged between samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from fxkit_signal.antialiasing import AntialiasingState, antialiased
from fxkit_signal.memo import Memo
from fxkit_signal.shaping import Curve, biased

Params = Mapping[str, Tensor]


class CurveModule(nn.Module):
    """Apply the curve that `choose` makes of the parameters."""

    def __init__(self, choose: Callable[[Params], Curve], antialias: bool) -> None:
        super().__init__()
        self.choose = choose
        self.antialias = antialias
        self.memo: Memo[tuple[Tensor, Curve]] = Memo()

    def forward(
        self, audio: Tensor, params: Params, state: AntialiasingState | None = None
    ) -> tuple[Tensor, AntialiasingState | None]:
        """Shape audio [batch, channels, samples]; with antialiasing there is a state (float64)."""
        curve = self.choose(params)
        return antialiased(audio, curve, state) if self.antialias else (curve.value(audio), None)


class ShaperModule(CurveModule):
    """Compute f(g x + b) - f(b) with `drive_db` and `bias` [batch, 1, 1 or samples]."""

    def forward(
        self, audio: Tensor, params: Params, state: AntialiasingState | None = None
    ) -> tuple[Tensor, AntialiasingState | None]:
        """Shape audio [batch, channels, samples]; with antialiasing there is a state (float64)."""
        gain, curve = self.memo(lambda: self._made(params), *params.values())
        driven = audio * gain
        return antialiased(driven, curve, state) if self.antialias else (curve.value(driven), None)

    def _made(self, params: Params) -> tuple[Tensor, Curve]:
        fine = {name: value.double() for name, value in params.items()} if self.antialias else params
        return 10 ** (params["drive_db"] / 20), biased(self.choose(fine), fine["bias"])
