"""The `gru` processor: a recurrent network with one memory less than an LSTM."""

from __future__ import annotations

from typing import ClassVar

import attrs

from fxkit_neural._recurrent_network import RecurrentNetwork


@attrs.frozen(kw_only=True)
class GRU(RecurrentNetwork):
    """Model a device by gated recurrent units that run at the sample rate.

    As `lstm`, with layers of Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation" (2014): three gates in the place of four and one state in the place of
    two, for three quarters of the work. Wright, Damskägg and Välimäki, "Real-time black-box modelling with
    recurrent neural networks" (2019) compare both. The weights have the names of torch.nn.GRU under
    `recurrent`, and `head` is the linear layer.
    """

    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3
