"""The `lstm` processor: a recurrent network from sample to sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from fxkit_neural._recurrent_network import RecurrentNetwork


@attrs.frozen(kw_only=True)
class LSTM(RecurrentNetwork):
    """Model a device by a long short-term memory network that runs at the sample rate.

    One sample goes in and one comes out, as in Wright, Damskägg, Juvela and Välimäki, "Real-time guitar
    amplifier emulation with deep learning" (2020): LSTM layers (Hochreiter and Schmidhuber, 1997), a linear
    layer, input added. A condition acts on the output of each layer. The weights have the names of
    torch.nn.LSTM under `recurrent`, and `head` is the linear layer.

    The presets are the sizes of Comunità, Steinmetz and Reiss, "NablAFx" (2025), as published without the
    skip and with tanh behind the linear layer: 32 (4 513 weights) and 96 (38 113).
    """

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return the published sizes, with the output as published."""
        published = {"layers": 1, "skip": False, "output": "tanh"}
        return {"32": {"hidden": 32, **published}, "96": {"hidden": 96, **published}}

    @classmethod
    def examples(cls) -> tuple[LSTM, ...]:
        """Return the forms that differ in what they promise, with every conditioning once."""
        from fxkit_neural.tfilm import TFiLM
        from fxkit_neural.ttfilm import TTFiLM
        from fxkit_neural.tvconcat import TVConcat
        from fxkit_neural.tvfilm import TVFiLM

        moving = (TFiLM(block=48), TTFiLM(block=48), TVConcat(block=48), TVFiLM(block=48))
        return (*super().examples(), *(cls(hidden=6, layers=2, conditioning=one) for one in moving))
