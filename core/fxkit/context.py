"""Hold what a spec needs to know about its surroundings when it builds its object."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from fxkit.parameter import Parameter


@attrs.frozen(kw_only=True)
class BuildContext:
    """Carry the run's facts to `spec.build`, `spec.parameters` and `spec.traits`.

    `sample_rate` in Hz; `hop` in samples between frames of features and frame-rate parameters;
    `channels` that enter the processor (0 for a source); `target_channels` of the recordings to
    match; `knobs` the names of the recorded device's settings, `knob_ranges` name -> (low, high) in
    the device's own unit, which are scaled to 0 and 1, `knob_settings` the different settings, so
    scaled, that were recorded for training; `features` name -> number of dimensions; `parameters`
    what a controller must set; `seed` for everything random that is fixed at build time; `device` as
    torch spells it.
    """

    sample_rate: int = 48000
    hop: int = 64
    channels: int = 1
    target_channels: int = 1
    knobs: tuple[str, ...] = ()
    knob_ranges: Mapping[str, tuple[float, float]] = attrs.field(factory=dict)
    knob_settings: tuple[tuple[float, ...], ...] = ()
    features: Mapping[str, int] = attrs.field(factory=dict)
    parameters: tuple[Parameter, ...] = ()
    seed: int = 0
    device: str = "cpu"

    @property
    def nyquist(self) -> float:
        """Return half the sample rate in Hz."""
        return self.sample_rate / 2

    @property
    def control_size(self) -> int:
        """Return how many values a controller must emit: the sizes of all its parameters."""
        return sum(parameter.size for parameter in self.parameters)
