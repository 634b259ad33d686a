from __future__ import annotations

import itertools

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.knobs_interpolation import KnobsInterpolation

GAIN = Parameter(name="gain", low=-12.0, high=12.0, default=3.0, unit="dB")
SETTINGS = tuple(itertools.product((0.0, 0.25, 1.0), (0.0, 1.0)))
SCATTERED = ((0.0, 0.0), (1.0, 0.1), (0.4, 0.9))


def context(settings=SETTINGS, **rest) -> BuildContext:
    return BuildContext(knobs=("drive", "tone"), knob_settings=settings, parameters=(GAIN,), **rest)


def built(ctx: BuildContext, spec: KnobsInterpolation | None = None) -> torch.nn.Module:
    torch.manual_seed(0)
    module = (spec or KnobsInterpolation()).build(ctx)
    with torch.no_grad():
        module.logits.copy_(torch.randn_like(module.logits))
    return module


def emitted(module: torch.nn.Module, *knobs: tuple[float, float]) -> list[float]:
    values = torch.tensor(knobs)
    inputs = ControlInputs(audio=torch.zeros(len(knobs), 1, 8), knobs=values)
    return module(inputs)[0][:, 0, 0].tolist()


@pytest.mark.parametrize("settings", [SETTINGS, SCATTERED])
def test_each_recorded_setting_has_what_was_learned_there(settings):
    module = built(context(settings))
    learned = torch.sigmoid(module.logits)[:, 0].tolist()
    assert emitted(module, *settings) == pytest.approx(learned, abs=1e-6)


def test_between_the_points_of_a_grid_it_is_bilinear():
    module = built(context())
    learned = dict(zip(SETTINGS, torch.sigmoid(module.logits)[:, 0].tolist(), strict=True))
    for drive, tone in ((0.1, 0.3), (0.5, 0.8), (0.25, 0.5)):
        low, high = (0.0, 0.25) if drive < 0.25 else (0.25, 1.0)
        share = (drive - low) / (high - low)
        expected = sum(
            learned[at, end] * weight * (tone if end else 1 - tone)
            for at, weight in ((low, 1 - share), (high, share))
            for end in (0.0, 1.0)
        )
        assert emitted(module, (drive, tone)) == [pytest.approx(expected, abs=1e-6)]


def test_between_scattered_points_the_weights_are_inverse_distances():
    module = built(context(SCATTERED), KnobsInterpolation(power=3.0))
    learned = torch.sigmoid(module.logits)[:, 0].tolist()
    for point in ((0.2, 0.2), (0.9, 0.9)):
        weights = [sum((a - b) ** 2 for a, b in zip(point, s, strict=True)) ** -1.5 for s in SCATTERED]
        expected = sum(w * v for w, v in zip(weights, learned, strict=True)) / sum(weights)
        assert emitted(module, point) == [pytest.approx(expected, abs=1e-5)]


def test_beyond_the_points_the_nearest_holds():
    module = built(context(((0.25,) * 2, (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))))
    assert emitted(module, (0.0, 0.0), (1.0, 1.0)) == pytest.approx(
        emitted(module, (0.25, 0.25), (0.75, 0.75))
    )


def test_every_setting_starts_at_the_defaults():
    module = KnobsInterpolation().build(context())
    values = torch.tensor(emitted(module, (0.0, 0.0), (0.3, 0.9), (1.0, 0.5)))
    assert GAIN.to_physical(values).tolist() == pytest.approx([3.0] * 3, rel=1e-5)


def test_without_recorded_settings_the_ends_of_the_knobs_are_the_points():
    module = KnobsInterpolation().build(BuildContext(knobs=("a", "b", "c"), parameters=(GAIN,)))
    assert module.logits.shape == (8, 1)


def test_points_may_be_given_in_the_units_of_the_device():
    spec = KnobsInterpolation(grid={"tone": (10.0, 0.0), "drive": (2.0, 4.0, 6.0)})
    ctx = context(knob_ranges={"drive": (2.0, 6.0), "tone": (0.0, 10.0)})
    module = built(ctx, spec)
    learned = torch.sigmoid(module.logits)[:, 0].tolist()
    points = list(itertools.product((0.0, 0.5, 1.0), (0.0, 1.0)))
    assert emitted(module, *points) == pytest.approx(learned, abs=1e-6)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"drvie": (0.0,), "tone": (0.0,)}, 'the data has no knob "drvie"; did you mean "drive"?'),
        ({"drive": (0.0, 1.0)}, "no points for tone; the grid must name every knob"),
        ({"drive": (0.0, 1.5), "tone": (0.0,)}, "drive = 1.5 lies outside the knob's range, 0 to 1"),
        (
            {"drive": tuple(n / 300 for n in range(300)), "tone": tuple(n / 300 for n in range(300))},
            "90000 combinations; use fewer points",
        ),
    ],
)
def test_a_grid_that_does_not_fit_the_data_is_refused(grid, message):
    with pytest.raises(AssemblyError) as caught:
        KnobsInterpolation(grid=grid).build(context())
    assert message in str(caught.value)


def test_a_knob_without_points_and_a_point_given_twice_are_refused_before_the_data_are_read():
    problems = list(KnobsInterpolation(grid={"drive": (), "tone": (0.5, 0.5)}).problems())
    assert problems == [
        ("grid", "drive has no points; name at least one"),
        ("grid", "tone has a point twice: 0.5, 0.5"),
    ]


def test_data_without_knobs_are_refused():
    with pytest.raises(AssemblyError, match="knobs-interpolation: the data has no knobs"):
        KnobsInterpolation().build(BuildContext(parameters=(GAIN,)))
