"""The `nam` exporter: models for the players of Neural Amp Modeler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Exporter

Gear = Literal["", "amp", "pedal", "pedal_amp", "amp_cab", "amp_pedal_cab", "preamp", "studio"]
Tone = Literal["", "clean", "overdrive", "crunch", "hi_gain", "fuzz"]


@attrs.frozen(kw_only=True)
class NamExporter:
    """Write a `.nam` file, which Neural Amp Modeler and its many players load.

    For models that are one `wavenet`, or one `lstm` without skip, for one channel. The file is read back
    and compared with the model, and the largest difference stands in its metadata, beside loudness and
    gain as NAM defines them, measured with pink noise at -15 dB RMS.
    """

    name: str = opt("model", help="name of the model, and of the file")
    modeled_by: str = opt("", help="who made it")
    gear_type: Gear = opt("", help="kind of device")
    gear_make: str = opt("", help="maker of the device")
    gear_model: str = opt("", help="the device")
    tone_type: Tone = opt("", help="how it sounds")

    @classmethod
    def models(cls) -> tuple[Mapping[str, Any], ...]:
        """Return nodes that can be exported, each as a model of its own."""
        layers = {"channels": 2, "dilations": [1, 2]}
        return (
            {"type": "wavenet", "arrays": [{**layers, "gating": "blended"}]},
            {"type": "lstm", "hidden": 3, "layers": 2, "skip": False},
        )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a name that is none of a file."""
        if not self.name.strip() or self.name.startswith(".") or any(sign in self.name for sign in "/\\\0"):
            yield "name", f'"{self.name}" cannot name a file; leave out slashes and a leading dot'

    def build(self, ctx: BuildContext) -> Exporter:
        """Build the exporter."""
        from fxkit_exchange._nam_exporter import NamWriter

        told = {field.name: getattr(self, field.name) for field in attrs.fields(NamExporter)}
        return NamWriter(name=self.name, metadata={key: value or None for key, value in told.items()})
