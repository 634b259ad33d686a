"""Made-up dry/wet material: plucked strings through the circuit of a diode clipper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.spec import opt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fxkit.values import Recording
    from fxkit_data._recorded import RecordedSplits

# Dry peak over all splits, in full scale (taken as volts): -6 dBFS, as a careful recording.
DRY_PEAK = 0.5


@attrs.frozen(kw_only=True)
class VirtualDevice:
    """Plucked strings through a simulated diode clipper; needs no files.

    The dry side is synthetic picking, chords and rests (extended Karplus-Strong strings: Jaffe and
    Smith 1983); the wet side is the same material through an op-amp gain stage, a diode clipper and
    a tone filter, solved from the circuit's equations at 353 kHz or more (Yeh, Abel and Smith 2007).
    The same options, rate and seed give the same bits. Both sides start from silence.
    """

    train_seconds: float = opt(24.0, unit="s", ge=0.25, le=3600, help="length of the training material")
    val_seconds: float = opt(6.0, unit="s", ge=0.25, le=3600, help="length of the validation material")
    test_seconds: float = opt(8.0, unit="s", ge=0.25, le=3600, help="length of the test material")
    gains: tuple[float, ...] = opt(
        (0.5,), ge=0, le=1, help='positions of the gain pot; with several, they are the knob "gain"'
    )

    def __attrs_post_init__(self) -> None:
        """Refuse an empty or repeating list of gains with `ValueError`."""
        if not self.gains or len(set(self.gains)) < len(self.gains):
            raise ValueError("VirtualDevice.gains: needs at least one position, each named once")

    @classmethod
    def examples(cls) -> tuple[VirtualDevice, ...]:
        """Return short material, to be checked and shown."""
        short = cls(train_seconds=1.0, val_seconds=0.5, test_seconds=0.5)
        return short, attrs.evolve(short, gains=(0.2, 0.8))

    def build(self, ctx: BuildContext) -> RecordedSplits:
        """Make all recordings at the run's rate from the run's seed; mono, in memory."""
        from fxkit_data._plucked_strings import phrase
        from fxkit_data._recorded import RecordedSplits

        seconds = {"train": self.train_seconds, "val": self.val_seconds, "test": self.test_seconds}
        dry = {
            split: phrase(length, ctx.sample_rate, (ctx.seed, index))
            for index, (split, length) in enumerate(seconds.items())
        }
        scale = DRY_PEAK / max(abs(audio).max() for audio in dry.values())
        knobs = ("gain",) if len(self.gains) > 1 else ()
        return RecordedSplits(
            channels=1,
            target_channels=1,
            splits={name: self._takes(name, scale * audio, ctx.sample_rate) for name, audio in dry.items()},
            knobs=knobs,
            knob_ranges=dict.fromkeys(knobs, (0.0, 1.0)),
        )

    def _takes(self, split: str, dry: NDArray[np.float64], rate: int) -> tuple[Recording, ...]:
        import numpy as np
        import torch

        from fxkit.values import Recording
        from fxkit_data._diode_clipper import process
        from fxkit_data._recorded import content_digest

        source = dry.astype(np.float32)[None]
        takes = []
        for gain in self.gains:
            target = process(dry, rate, gain).astype(np.float32)[None]
            takes.append(
                Recording(
                    name=f"strings-{split}-gain-{gain:g}",
                    input=torch.from_numpy(source),
                    target=torch.from_numpy(target),
                    knobs=torch.tensor([gain]) if len(self.gains) > 1 else None,
                    digest=content_digest(source, target),
                )
            )
        return tuple(takes)
