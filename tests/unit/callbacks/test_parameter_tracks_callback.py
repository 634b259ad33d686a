"""The pictures and data of parameters: what they show, and that they can be read."""

from __future__ import annotations

import csv
import shutil

import attrs
import numpy as np
import pytest
import torch
from PIL import Image

from fxkit import BuildContext, Parameter
from fxkit.runs import checkpoint
from fxkit_callbacks._course import Wave
from fxkit_callbacks._excerpt import Excerpt, loudest
from fxkit_callbacks._history import History
from fxkit_callbacks._history_picture import history_picture
from fxkit_callbacks._map import edges_around
from fxkit_callbacks._panel import panels
from fxkit_callbacks._parameter_files import course_in
from fxkit_callbacks._track_picture import track_picture
from fxkit_callbacks.parameter_tracks import ParameterTracks

CUTOFF = Parameter(name="cutoff", low=20, high=20000, default=1000, unit="Hz", mapping="log")
GAIN = Parameter(name="gain", low=-24, high=24, default=0, unit="dB", size=2)
MIX = Parameter(name="mix", low=0, high=1, default=0.5)
BANDS = Parameter(name="bands", low=0, high=1, default=0.1, mapping="exp-sigmoid", size=40, rate="frame")


def build(**options):
    return ParameterTracks(**options).build(BuildContext())


def parameters_at(step):
    return {
        "filter.cutoff": torch.tensor([[100.0 * step]]),
        "filter.gain": torch.tensor([[float(step)], [-0.5 * step]]),
        "filter.mix": torch.linspace(0.2, 0.4, 4001)[None],
        "filter.bands": torch.rand(40, 64, generator=torch.Generator().manual_seed(step)),
    }


@pytest.fixture
def run(make_run):
    made = make_run({"filter": (CUTOFF, GAIN, MIX, BANDS), "plain": ()})
    made.journal(20)
    return made


@pytest.fixture
def evaluation_at(make_example, make_evaluation):
    def at(step, split="val"):
        example = make_example(parameters=parameters_at(step))
        return make_evaluation(example, step=step, split=split)

    return at


def shown(run):
    return run.folder.path / "parameters"


def pictures(run):
    return {path.name: np.asarray(Image.open(path).convert("RGB")) for path in shown(run).glob("*.png")}


def series(history, node):
    return {name.removeprefix(f"{node}."): values for name, values in history.arrays().items()}


def table(run):
    with (shown(run) / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def coloured(pixels):
    """Return the share of pixels that are far from grey."""
    return float((np.ptp(pixels.astype(int), axis=2) > 80).mean())


def inside(figure):
    """Tell whether every visible text lies in the figure, and no two tick labels of an axis overlap."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = [text for axes in figure.axes for text in axes.get_legend().get_texts()] if figure.axes else []
    boxes = [text.get_window_extent(renderer) for text in [*figure.texts, *texts]]
    width, height = figure.canvas.get_width_height()
    return all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)


def test_all_pictures_are_drawn_a_thousand_pixels_wide_with_content(run, evaluation_at):
    tracker = build(every=15)
    for step in (5, 10, 15):
        tracker.fx_validate_end(run=run, step=step, evaluation=evaluation_at(step))
    found = pictures(run)
    assert found.keys() == {"filter.png", "filter-tracks.png"}
    for name, pixels in found.items():
        assert pixels.shape[1] == 1000, name
        assert (pixels != 255).any(axis=2).mean() > 0.02, name
        assert coloured(pixels) > 0.001, name


def test_the_history_is_data_in_physical_units(run, evaluation_at):
    tracker = build(every=10)
    for step in (5, 10):
        tracker.fx_validate_end(run=run, step=step, evaluation=evaluation_at(step))
    rows = table(run)
    cutoff = [row for row in rows if row["parameter"] == "cutoff"]
    assert [(row["step"], row["unit"], float(row["median"])) for row in cutoff] == [
        ("5", "Hz", 500.0),
        ("10", "Hz", 1000.0),
    ]
    second = next(row for row in rows if row["parameter"] == "gain" and row["entry"] == "2")
    assert (second["node"], float(second["least"]), float(second["greatest"])) == ("filter", -2.5, -2.5)
    mix = next(row for row in rows if row["parameter"] == "mix")
    assert (float(mix["least"]), float(mix["greatest"])) == pytest.approx((0.2, 0.4))
    assert sum(row["parameter"] == "bands" for row in rows) == 80


def test_the_tracks_are_data_at_their_times(run, evaluation_at):
    build(every=5, seconds=0.25).fx_validate_end(run=run, step=5, evaluation=evaluation_at(5))
    with np.load(shown(run) / "tracks.npz") as found:
        assert set(found) == {
            name for one in ("mix", "bands") for name in (f"filter.{one}", f"filter.{one}.seconds")
        }
        seconds, mix = found["filter.mix.seconds"], found["filter.mix"]
        bands = found["filter.bands"]
        frames = np.round(found["filter.bands.seconds"] * 8000 / 64).astype(int)
    expected = np.interp(seconds * 8000, np.arange(4001), np.linspace(0.2, 0.4, 4001))
    assert seconds[-1] - seconds[0] == pytest.approx(0.25)
    np.testing.assert_allclose(mix[0], expected, atol=1e-6)
    np.testing.assert_array_equal(bands, parameters_at(5)["filter.bands"].numpy()[:, frames])


def test_each_validation_publishes_what_the_parameters_are(run, evaluation_at):
    tracker = build(every=1000)
    for step in (5, 10):
        tracker.fx_validate_end(run=run, step=step, evaluation=evaluation_at(step))
    assert [(name, step) for name, step, _ in run.published] == [("parameters", 5), ("parameters", 10)]
    figures = run.published[0][2]
    assert {name: figures[name] for name in ("filter.cutoff", "filter.gain.1", "filter.gain.2")} == {
        "filter.cutoff": 500.0,
        "filter.gain.1": 5.0,
        "filter.gain.2": -2.5,
    }
    assert figures["filter.mix"] == pytest.approx(0.3)
    assert figures["filter.mix.least"] == pytest.approx(0.2)
    assert figures["filter.mix.greatest"] == pytest.approx(0.4)
    assert "filter.cutoff.least" not in figures
    assert not any("bands" in name for name in figures)


def test_pictures_are_drawn_when_due_and_parameters_remembered_always(run, evaluation_at):
    tracker = build(every=10)
    tracker.fx_validate_end(run=run, step=5, evaluation=evaluation_at(5))
    assert not shown(run).exists()
    tracker.fx_validate_end(run=run, step=10, evaluation=evaluation_at(10))
    assert shown(run).exists()
    assert tracker.history.steps == [5, 10]
    assert tracker.history.series("filter.cutoff")[:, 0, 1].tolist() == [500, 1000]


def test_the_end_draws_the_test_and_leaves_the_history_alone(run, evaluation_at):
    tracker = build(every=5)
    tracker.fx_validate_end(run=run, step=5, evaluation=evaluation_at(5))
    before = pictures(run)
    history = table(run)
    tracker.fx_run_end(run=run, evaluation=evaluation_at(12, split="test"))
    after = pictures(run)
    assert np.array_equal(before["filter.png"], after["filter.png"])
    assert not np.array_equal(before["filter-tracks.png"], after["filter-tracks.png"])
    assert table(run) == history


def test_a_resumed_run_draws_the_bytes_of_an_uninterrupted_one(run, evaluation_at, tmp_path):
    whole = build(every=15)
    for step in (5, 10, 15):
        whole.fx_validate_end(run=run, step=step, evaluation=evaluation_at(step))
    expected = {path.name: path.read_bytes() for path in shown(run).iterdir()}
    shutil.rmtree(shown(run))
    first = build(every=15)
    for step in (5, 10):
        first.fx_validate_end(run=run, step=step, evaluation=evaluation_at(step))
    checkpoint.save(tmp_path / "state.pt", {"callbacks": first.state_dict()})
    second = build(every=15)
    second.load_state_dict(checkpoint.load(tmp_path / "state.pt")["callbacks"])
    second.fx_validate_end(run=run, step=15, evaluation=evaluation_at(15))
    assert {path.name: path.read_bytes() for path in shown(run).iterdir()} == expected


def test_the_history_is_the_spread_over_recordings_and_time():
    history = History()
    history.add(3, [{"a.x": torch.tensor([[1.0, 2.0, 3.0]])}, {"a.x": torch.tensor([[9.0]])}])
    assert history.series("a.x").tolist() == [[[1.0, 2.0, 9.0]]]


def test_of_many_entries_each_middle_value_is_kept():
    history = History()
    for step in (3, 5):
        history.add(step, [{"a.x": step + torch.arange(40.0)[:, None] + torch.tensor([0.0, 1.0, 9.0])}])
    expected = [[step + entry + 1 for entry in range(40)] for step in (3, 5)]
    assert history.series("a.x")[..., 0].tolist() == expected


def test_columns_of_a_map_are_centred_on_uneven_steps():
    assert edges_around(np.array([10, 20, 40])).tolist() == [5, 15, 30, 50]
    assert edges_around(np.array([10])).tolist() == [9.5, 10.5]


def test_lines_that_share_unit_and_scale_share_a_panel():
    others = [attrs.evolve(CUTOFF, name="centre"), attrs.evolve(MIX, name="order", high=8)]
    found = panels([CUTOFF, GAIN, MIX, *others])
    assert [[line.label for line in panel.lines] for panel in found] == [
        ["cutoff", "centre"],
        ["gain 1", "gain 2"],
        ["mix"],
        ["order"],
    ]
    assert [panel.axis_label for panel in found] == ["Hz", "gain in dB", "mix", "order"]


def test_no_panel_has_more_lines_than_there_are_colours():
    many = [attrs.evolve(CUTOFF, name=f"f{index}") for index in range(20)]
    assert [len(panel.lines) for panel in panels(many)] == [7, 7, 6]


def test_log_mapped_parameters_have_a_logarithmic_axis_and_plain_numbers():
    history = History()
    for step in (1, 2):
        history.add(step, [parameters_at(step)])
    figure = history_picture(
        (CUTOFF, GAIN, MIX, BANDS), history.steps, series(history, "filter"), "Parameters"
    )
    figure.canvas.draw()
    assert [axes.get_yscale() for axes in figure.axes[:2]] == ["log", "linear"]
    assert figure.axes[0].get_ylabel() == "cutoff in Hz"
    shown = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert {"100", "200"} & set(shown)
    assert figure.axes[-1].get_xlabel() == "training step"


def test_a_parameter_that_hardly_moves_is_not_blown_up():
    history = History()
    for step, value in enumerate((0.500, 0.501)):
        history.add(step, [{"node.mix": torch.tensor([[value]])}])
    low, high = history_picture((MIX,), history.steps, series(history, "node"), "").axes[0].get_ylim()
    assert high - low >= (MIX.high - MIX.low) / 20


@pytest.mark.parametrize(
    "name", ["x", r"$\frac$ _b", "_hidden", "a-very-long-name-of-a-parameter-that-goes-on-and-on"]
)
def test_any_name_fits_and_is_printed_as_it_is(name):
    history = History()
    history.add(1, [{f"node.{name}": torch.tensor([[0.5]])}])
    figure = history_picture(
        (attrs.evolve(MIX, name=name),), history.steps, series(history, "node"), f"Parameters of {name}" * 3
    )
    assert inside(figure)
    label = figure.axes[0].get_legend().get_texts()[0].get_text().strip().replace("\\$", "$")
    assert label == name or (label.endswith("…") and name.startswith(label[:-1]))


def test_tracks_stand_at_their_time_in_the_recording():
    excerpt = Excerpt(start=4000, stop=8000, sample_rate=8000)
    moving = np.arange(0, 8000 / 64)[None]
    course = course_in(attrs.evolve(MIX, high=200), moving, 64, excerpt)
    assert course.seconds[0] <= 0.5
    assert course.seconds[-1] >= 0.99
    np.testing.assert_allclose(course.values[0] * 64 / 8000, course.seconds, atol=1e-12)
    outline = np.random.default_rng(0).random(800)
    wave = Wave(low=-outline, high=outline, start=0.5, stop=1.0)
    figure = track_picture({"mix": course}, wave, "Parameters")
    assert figure.axes[1].get_xlim() == (0.5, 1.0)
    curve = figure.axes[1].get_lines()[0]
    np.testing.assert_allclose(curve.get_ydata() * 64 / 8000, curve.get_xdata(), atol=1e-12)


def test_a_course_is_thinned_to_what_can_be_seen():
    course = course_in(MIX, np.zeros((1, 96001)), 1, Excerpt(start=0, stop=96000, sample_rate=48000))
    thin = course.thinned(1200)
    assert (course.seconds.size, thin.seconds.size, thin.values.shape) == (96001, 1201, (1, 1201))


def test_the_excerpt_is_the_loudest_scored_part(make_example):
    target = torch.zeros(1, 32000)
    target[:, 20000:24000] = 0.5
    target[:, :1000] = 1.0
    found = loudest(make_example(target=target, prediction=target, skip=2000), 8000, 0.5)
    assert (found.start, found.stop) == (20000, 24000)


def test_a_short_recording_is_taken_whole(make_example):
    found = loudest(make_example(seconds=0.25), 8000, 2.0)
    assert (found.start, found.stop) == (0, 2000)
