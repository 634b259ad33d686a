"""Checks of conditionings: what they do to a network's input, and in silence.

All else is checked as a processor is, with a network of the kit's own around the conditioning.
"""

from __future__ import annotations

from typing import Any

import attrs
import torch

from fxkit.testing.case import ProcessorCase, run, stirred
from fxkit.testing.check import distance, promise
from fxkit.testing.layered import WIDTHS, Layered
from fxkit.testing.options import idle_options, observe_case
from fxkit.testing.track import Track

SAMPLES = 480
TOLERANCE = 1e-5


@attrs.frozen(kw_only=True, eq=False)
class ConditioningCase(ProcessorCase):
    """Test a conditioning in a small network.

    `spec` is the network's; `hints` and `examples` are the conditioning's.
    """

    @property
    def conditioning(self) -> Any:
        """Return the spec of the conditioning."""
        return self.spec.conditioning


def check_joined(case: ConditioningCase) -> None:
    """Check that a network reads the audio as it is, and as many further channels as declared."""
    tracks, ctx = case.tracks(SAMPLES), case.surroundings
    audio = tracks["audio"].values
    params = {name[6:]: track.values for name, track in tracks.items() if name != "audio"}
    read = case.conditioning.build(ctx, WIDTHS).enter(audio, params)[0]
    expected = ctx.channels + case.conditioning.joined(ctx)
    promise(
        read.shape[1] == expected and read.shape[::2] == audio.shape[::2],
        case,
        f"turns {tuple(audio.shape)} into {tuple(read.shape)}; declared are {expected} channels",
    )
    promise(torch.equal(read[:, : ctx.channels], audio), case, "changes the audio that the network reads")


def check_settled(case: ConditioningCase) -> None:
    """Check that a network that starts from settled levels stays there in silence, to 1e-5.

    Each layer's settled level is what the layer then gives.
    """
    module, tracks = stirred(case), case.tracks(4 * SAMPLES)
    _check_levels(case, module)
    still = {name: _held(track) for name, track in tracks.items()}
    still["audio"] = attrs.evolve(tracks["audio"], values=torch.zeros_like(tracks["audio"].values))
    answer = run(case, module, still)
    error = distance(answer, answer[..., :1].expand_as(answer))
    promise(error <= TOLERANCE, case, f"moves by {error:.1e} in silence that has lasted for ever")


def _check_levels(case: ConditioningCase, module: Any) -> None:
    conditioning = getattr(module, "module", module).conditioning
    tracks = case.tracks(1)
    params = {name[6:]: track.values for name, track in tracks.items() if name != "audio"}
    _, guide, _ = conditioning.enter(torch.zeros_like(tracks["audio"].values), params)
    for layer, width in enumerate(WIDTHS):
        level = torch.linspace(-1, 1, width)[None, :, None].expand(2, -1, 1)
        settled, state = conditioning.settle(layer, level, guide)
        error = distance(settled, conditioning.modulate(layer, level, guide, state)[0])
        promise(
            error <= TOLERANCE, case, f"settles layer {layer} at a level that it then leaves by {error:.1e}"
        )


def _held(track: Track) -> Track:
    return attrs.evolve(track, values=track.values[..., :1].expand_as(track.values))


def check_conditioning_options(case: ConditioningCase) -> None:
    """Check that each option of a conditioning makes a difference to a network."""
    observe = observe_case(case)

    def seen(spec: Any) -> Any:
        return spec.traits(case.surroundings, WIDTHS), observe(Layered(conditioning=spec))

    idle = idle_options(case.conditioning, seen, case.hints, case.examples)
    promise(not idle, case, f"yields the same whatever the option {', '.join(idle)} is")
