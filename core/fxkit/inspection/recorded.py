"""The response of the device itself, as far as recordings of it tell, and that of the model on the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit_signal.transfer import cross_spectra, transfer_gain

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Example

Array = npt.NDArray[np.float64]

_SECONDS = 20.0


@attrs.frozen(kw_only=True, eq=False)
class Recorded:
    """Hold magnitudes in dB and coherences of `target` and `model` over the frequencies of a response."""

    name: str
    target_db: Array
    target_coherence: Array
    model_db: Array
    model_coherence: Array


def recorded_response(evaluation: Evaluation, frequencies: Array) -> Recorded | None:
    """Estimate both, in third octaves, from 20 s of the first recording with a dry side; None without.

    One recording, as another may have been made at other settings of the knobs.
    """
    example = next((one for one in evaluation.examples if one.input is not None), None)
    if example is None:
        return None
    target, target_coherence = _estimate(example, example.target, evaluation.sample_rate, frequencies)
    model, model_coherence = _estimate(example, example.prediction, evaluation.sample_rate, frequencies)
    return Recorded(
        name=example.name,
        target_db=target,
        target_coherence=target_coherence,
        model_db=model,
        model_coherence=model_coherence,
    )


def _estimate(example: Example, wet: torch.Tensor, rate: int, frequencies: Array) -> tuple[Array, Array]:
    stop = example.skip + round(_SECONDS * rate)
    assert example.input is not None
    pair = (example.input[0, example.skip : stop], wet[0, example.skip : stop])
    gain, coherence = transfer_gain(cross_spectra([pair], rate), torch.from_numpy(frequencies), rate)
    magnitude = 20 * np.log10(np.maximum(gain.numpy(), 1e-10))
    return magnitude, coherence.numpy()
