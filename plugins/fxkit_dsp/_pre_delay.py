"""Read a line of samples a constant time late."""

from __future__ import annotations

import torch
from torch import Tensor


def read_late(line: Tensor, delay: Tensor, samples: int) -> Tensor:
    """Return the last `samples` of `line` [batch, channels, length], moved to the right by `delay`.

    `delay` [batch, 1, 1] in samples, up to the line's length less `samples`; between two samples it is
    interpolated linearly, and has a gradient.
    """
    length = line.shape[-1]
    whole = delay.detach().floor().clamp(max=length - samples - 1)
    places = torch.arange(length - samples, length, device=line.device) - whole.long()
    index = places.expand(line.shape[0], line.shape[1], -1)
    return torch.lerp(line.gather(-1, index), line.gather(-1, index - 1), delay - whole)
