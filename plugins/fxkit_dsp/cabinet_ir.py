"""The `cabinet-ir`: a measured impulse response from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._fir import FIRModule


@attrs.frozen(kw_only=True)
class CabinetIR:
    """Filter by an impulse response from a file: a loudspeaker cabinet, a microphone, a small room.

    The response is brought to the run's sample rate. A file with as many channels as enter is used
    channel by channel; any other is averaged to one.
    """

    path: Path = opt(help="WAV, FLAC, AIFF or OGG file of the impulse response")
    length: float | None = opt(None, unit="ms", gt=0, help="length to cut to; the whole file when absent")
    normalise: bool = opt(True, help="scale so that white noise keeps its level, averaged over channels")
    learn: bool = opt(False, help="go on learning the taps from the file's")

    @classmethod
    def examples(cls, folder: Path) -> tuple[CabinetIR, ...]:
        """Write two short responses and return specs that read them."""
        from fxkit_dsp._cabinet_ir import write_examples

        first, second = write_examples(folder)
        return cls(path=first), cls(path=second, length=2.0, normalise=False, learn=True)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a file that is not there."""
        if not self.path.is_file():
            yield "path", f"there is no file {self.path}; name an impulse response (WAV, FLAC, AIFF or OGG)"

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare nothing: the taps come from the file."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a filter without latency; how far it reaches stands in the file."""
        return Traits()

    def build(self, ctx: BuildContext) -> FIRModule:
        """Read the file and build the module; raises `AssemblyError` when it cannot be used."""
        from fxkit_dsp._cabinet_ir import cut, fitted, read_response, scaled
        from fxkit_dsp._fir import FIRModule

        taps = fitted(read_response(self.path, ctx.sample_rate), ctx.channels)
        if self.length is not None:
            taps = cut(taps, round(self.length * ctx.sample_rate / 1000))
        return FIRModule(scaled(taps) if self.normalise else taps, self.learn)
