from __future__ import annotations

import itertools
import math
import pathlib

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.frames import Frames
from fxkit_signal.framing import frames_due

GAIN = Parameter(name="tone.gain", low=-12.0, high=12.0, default=3.0, unit="dB")
FREQUENCY = Parameter(name="tone.frequency", low=20.0, high=20000.0, default=1e3, unit="Hz", mapping="log")
SHAPE = Parameter(name="noise.shape", low=0.0, high=1.0, default=0.0, size=2)
CTX = BuildContext(sample_rate=1000, hop=10, parameters=(GAIN,))


def written(folder: pathlib.Path, text: str, name: str = "auto.csv") -> pathlib.Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def emitted(
    spec: Frames, ctx: BuildContext = CTX, samples: int = 200, blocks=(), starts=None
) -> torch.Tensor:
    module = spec.build(ctx)
    state = None if starts is None else module.state_at(torch.tensor(starts))
    batch = 2 if starts is None else len(starts)
    position, pieces = 0, []
    for block in blocks or (samples,):
        due = frames_due(position, block, ctx.hop)
        values, state = module(ControlInputs(audio=torch.zeros(batch, 1, block), frames=due), state)
        pieces.append(values)
        position += block
    return torch.cat(pieces, dim=-1)


def test_values_glide_between_the_rows_and_hold_beyond_them(tmp_path):
    path = written(tmp_path, "time,tone.gain\n0.05,-6\n0.1,4\n0.15,4\n")
    gains = GAIN.to_physical(emitted(Frames(file=path)))[1, 0].tolist()
    expected = [np.interp(k * 0.01, [0.05, 0.1, 0.15], [-6, 4, 4]) for k in range(21)]
    assert gains == pytest.approx(expected, abs=1e-5)


def test_held_values_change_at_the_frame_of_their_row(tmp_path):
    path = written(tmp_path, "time,tone.gain\n0,-6\n0.05,2\n0.051,3\n0.1,4\n")
    gains = GAIN.to_physical(emitted(Frames(file=path, interpolation="hold")))[0, 0].tolist()
    assert gains == pytest.approx([-6] * 5 + [2] + [3] * 4 + [4] * 11, abs=1e-5)


def test_a_frequency_glides_in_equal_ratios(tmp_path):
    path = written(tmp_path, "time,frequency\n0,100\n0.2,1600\n")
    ctx = BuildContext(sample_rate=1000, hop=50, parameters=(FREQUENCY,))
    hertz = FREQUENCY.to_physical(emitted(Frames(file=path), ctx))[0, 0].tolist()
    assert hertz == pytest.approx([100, 200, 400, 800, 1600], rel=1e-5)


def test_a_segment_of_a_recording_gets_the_values_of_its_place(tmp_path):
    path = written(tmp_path, "time,tone.gain\n0,-12\n1,12\n")
    spec = Frames(file=path)
    found = GAIN.to_physical(emitted(spec, samples=20, starts=[0, 333, 999]))[:, 0]
    for row, start in zip(found.tolist(), (0, 333, 999), strict=True):
        expected = [min(-12 + 24 * (start + 10 * k) / 1000, 12) for k in range(3)]
        assert row == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("blocks", [(1,) * 60, (7,) * 20, (64, 3, 100)])
def test_blocks_of_any_size_give_the_same_values(tmp_path, blocks):
    spec = Frames(file=written(tmp_path, "time,tone.gain\n0.013,-6\n0.05,4\n0.07,1\n"))
    whole = emitted(spec, samples=sum(blocks))
    assert torch.equal(emitted(spec, blocks=blocks), whole)


def test_columns_are_found_by_full_and_short_names_with_units_and_indices(tmp_path):
    text = "noise.shape[1], time (s) ,gain (dB),noise.shape[0],tone.frequency(Hz),other\n0.5,0,6,0.25,440,9\n"
    ctx = BuildContext(parameters=(GAIN, FREQUENCY, SHAPE))
    values = emitted(Frames(file=written(tmp_path, text)), ctx)[0, :, 0].tolist()
    ratio = math.log(440 / 20) / math.log(1000)
    assert values == pytest.approx([0.75, ratio, 0.25, 0.5], abs=1e-6)


def test_an_npz_file_says_the_same_as_a_csv_file(tmp_path):
    ctx = BuildContext(sample_rate=1000, hop=10, parameters=(GAIN, SHAPE))
    rows = {"time": [0, 0.1, 0.15], "gain": [0.0, 3.0, -3.0], "shape": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}
    np.savez(tmp_path / "auto.npz", **{name: np.array(values) for name, values in rows.items()})
    text = "time,gain,shape[0],shape[1]\n0,0,0.1,0.2\n0.1,3,0.3,0.4\n0.15,-3,0.5,0.6\n"
    one = emitted(Frames(file=tmp_path / "auto.npz"), ctx)
    assert torch.equal(one, emitted(Frames(file=written(tmp_path, text)), ctx))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "auto.csv: is empty; write a line of column names, then one line per time"),
        ("time;tone.gain\n0;1\n", "auto.csv: separates columns by semicolons; separate them by commas"),
        ("time,tone.gain\n", "auto.csv: has no rows; write at least one time with its values"),
        (
            "tiem,tone.gain\n0,1\n",
            'auto.csv: has no column "time"; add one, in seconds; is "tiem" meant for it?',
        ),
        ("time (ms),gain\n0,1\n", 'auto.csv: the column "time" is in ms; write seconds, and "time (s)"'),
        (
            "time,tone.gian\n0,1\n",
            'auto.csv: has no column "tone.gain"; add it, with values of -12 to 12 dB; '
            'is "tone.gian" meant for it?',
        ),
        (
            "time,gain (%)\n0,1\n",
            'auto.csv: the column "gain" is in %, the parameter has dB; convert it',
        ),
        ("time,gain\n0,1\n\n1\n", "auto.csv:4: has 1 values for 2 columns"),
        ("time,gain\n0,1\n0.5,loud\n", 'auto.csv:3: gain = "loud" is not a number'),
        ("time,gain\n0,1\n0.5,nan\n", 'auto.csv:3: gain = "nan" is not a number'),
        ("time,gain\n0,1\n0.5,13\n", "auto.csv:3: gain = 13 lies outside -12 to 12 dB"),
        (
            "time,gain\n0.5,1\n0.2,3\n",
            "auto.csv:3: time = 0.2 s does not come after the row before; sort the rows",
        ),
        ("time,gain\n-0.5,1\n", "auto.csv:2: time = -0.5 s lies before the start; times count from 0"),
        ("time,gain,gain\n0,1,1\n", "auto.csv: names a column twice; give each its own name"),
        ("time,(dB)\n0,1\n", 'auto.csv:1: "(dB)" is no column name; write "name" or "name (unit)"'),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(tmp_path, text, message):
    with pytest.raises(AssemblyError) as caught:
        Frames(file=written(tmp_path, text)).build(CTX)
    assert str(caught.value) == f"frames: {message}"


def test_a_short_name_that_two_nodes_share_is_not_enough(tmp_path):
    ctx = BuildContext(parameters=(GAIN, Parameter(name="amp.gain", low=0, high=1, default=0)))
    with pytest.raises(AssemblyError, match=r'has no column "tone.gain".*is "gain" meant for it'):
        Frames(file=written(tmp_path, "time,gain\n0,1\n")).build(ctx)


def test_arrays_of_unlike_lengths_and_broken_archives_are_refused(tmp_path):
    np.savez(tmp_path / "auto.npz", time=[0.0, 1.0], gain=[1.0])
    with pytest.raises(AssemblyError, match=r"auto\.npz: gain \(1\) does not have a finite number"):
        Frames(file=tmp_path / "auto.npz").build(CTX)
    with pytest.raises(AssemblyError, match=r"broken\.npz: cannot be read"):
        Frames(file=written(tmp_path, "PK no archive", "broken.npz")).build(CTX)


@pytest.mark.parametrize(
    ("name", "message"),
    [("auto.txt", "auto.txt is of no known format"), ("none.csv", "no file")],
)
def test_a_file_that_cannot_be_one_is_refused_before_anything_is_read(tmp_path, name, message):
    written(tmp_path, "", "auto.txt")
    ((option, text),) = Frames(file=tmp_path / name).problems()
    assert option == "file"
    assert message in text


def test_nothing_in_it_learns(tmp_path):
    module = Frames(file=written(tmp_path, "time,gain\n0,1\n")).build(CTX)
    assert list(itertools.chain(module.parameters())) == []
