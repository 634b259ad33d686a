"""The response of the device itself, as far as recordings of it tell, and that of the model on the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit_signal.transfer import (
    Spectra,
    cross_spectrum,
    segment_spectra,
    segments_together,
    transfer_gain,
)

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


class RecordedMeter:
    """Estimate both in third octaves at `frequencies`, from audio at `rate` Hz, validation by validation.

    From 20 s of the first recording with a dry side; of one, as another may have been made at other settings
    of the knobs. What the recording alone decides is estimated once.
    """

    def __init__(self, frequencies: Array, rate: int) -> None:
        self.frequencies = torch.from_numpy(frequencies)
        self.rate = rate
        self._known: _Known | None = None

    def response(self, evaluation: Evaluation) -> Recorded | None:
        """Return the responses of an evaluated split; None without such a recording."""
        example = next((one for one in evaluation.examples if one.input is not None), None)
        if example is None:
            return None
        if self._known is None or (self._known.split, self._known.name) != (evaluation.split, example.name):
            self._known = self._of_recording(evaluation.split, example)
        wet = self._segments(example.prediction, example.skip)
        crossed = cross_spectrum(wet, wet).real, cross_spectrum(self._known.dry, wet)
        model, coherence = self._estimate(Spectra(self._known.power, *crossed))
        return Recorded(
            name=example.name,
            target_db=self._known.target_db,
            target_coherence=self._known.target_coherence,
            model_db=model,
            model_coherence=coherence,
        )

    def _of_recording(self, split: str, example: Example) -> _Known:
        assert example.input is not None
        dry, wet = (self._segments(one, example.skip) for one in (example.input, example.target))
        spectra = segments_together(dry, wet)
        target, coherence = self._estimate(spectra)
        return _Known(split, example.name, dry, spectra.dry, target, coherence)

    def _segments(self, audio: torch.Tensor, skip: int) -> torch.Tensor:
        return segment_spectra(audio[0, skip : skip + round(_SECONDS * self.rate)], self.rate)

    def _estimate(self, spectra: Spectra) -> tuple[Array, Array]:
        gain, coherence = transfer_gain(spectra, self.frequencies, self.rate)
        return 20 * np.log10(np.maximum(gain.numpy(), 1e-10)), coherence.numpy()


class _Known(NamedTuple):
    """Hold what does not change from validation to validation: of the dry side its segments and power."""

    split: str
    name: str
    dry: torch.Tensor
    power: torch.Tensor
    target_db: Array
    target_coherence: Array
