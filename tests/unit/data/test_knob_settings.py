"""Knob settings are read from a sheet beside the audio, checked against it, and scaled."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fxkit.errors import DataError
from fxkit_data.paired_audio import PairedAudio

SPLITS = ("train", "val", "test")
CSV = "file,drive,tone\nsoft,2,0.5\nmiddle.wav,4,0.1\nhard,6,0.9\nval-take,3,0.5\ntest-take,5,0.5\n"
SETTINGS = {
    "soft": (2, 0.5),
    "middle.wav": (4, 0.1),
    "hard": (6, 0.9),
    "val-take": (3, 0.5),
    "test-take": (5, 0.5),
}
TABLES = {"files": {file: {"drive": drive, "tone": tone} for file, (drive, tone) in SETTINGS.items()}}


@pytest.fixture
def device(folder):
    """Three settings of one dry side to train on, one to validate, one to test."""
    dry = folder.audio("train")
    for drive, name in ((2, "soft"), (4, "middle"), (6, "hard")):
        folder.pair(name, "train", dry=dry, wet=0.6 * np.tanh(drive * dry))
    folder.pair("val-take", "val")
    folder.pair("test-take", "test")
    return folder


def toml(tables):
    rows = "\n".join(f'"{file}" = {{ drive = {d}, tone = {t} }}' for file, (d, t) in SETTINGS.items())
    ranges = "\n".join(f"{name} = {json.dumps(pair)}" for name, pair in tables.get("ranges", {}).items())
    return f"[ranges]\n{ranges}\n[files]\n{rows}\n"


def write(device, name, text):
    (device.root / name).write_text(text)
    return device


def built(device, ctx, **options):
    return PairedAudio(root=device.root, **options).build(ctx)


def refused(device, ctx, **options):
    with pytest.raises(DataError) as caught:
        built(device, ctx, **options)
    return [line.replace(f"{device.root}/", "") for line in caught.value.problems]


def knobs(dataset, split="train"):
    return {take.name: take.knobs.tolist() for take in dataset.recordings(split)}


@pytest.mark.parametrize(
    ("name", "text"),
    [("knobs.csv", CSV), ("knobs.toml", toml(TABLES)), ("knobs.json", json.dumps(TABLES))],
)
def test_settings_are_scaled_over_the_range_of_the_train_split(device, ctx, name, text):
    dataset = built(write(device, name, text), ctx)
    assert dataset.knobs == ("drive", "tone")
    assert dataset.knob_ranges == {"drive": (2, 6), "tone": (0.1, 0.9)}
    assert knobs(dataset) == {
        "soft": pytest.approx([0, 0.5]),
        "middle": pytest.approx([0.5, 0]),
        "hard": pytest.approx([1, 1]),
    }
    assert knobs(dataset, "val") == {"val-take": pytest.approx([0.25, 0.5])}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("knobs.csv", CSV + "[low],0,0\n[high],10,1\n"),
        ("knobs.toml", toml({"ranges": {"drive": [0, 10], "tone": [0, 1]}})),
        ("knobs.json", json.dumps({**TABLES, "ranges": {"drive": [0, 10], "tone": [0.0, 1.0]}})),
    ],
)
def test_declared_ranges_count(device, ctx, name, text):
    dataset = built(write(device, name, text), ctx)
    assert dataset.knob_ranges == {"drive": (0, 10), "tone": (0, 1)}
    assert knobs(dataset)["soft"] == pytest.approx([0.2, 0.5])


def test_a_sheet_can_lie_elsewhere(device, ctx, tmp_path):
    sheet = tmp_path / "settings.csv"
    sheet.write_text(CSV)
    assert built(device, ctx, knobs=sheet).knobs == ("drive", "tone")


def test_a_split_column_tells_files_of_one_name_apart(folder, ctx):
    rows = ["split,file,drive"]
    for drive, split in ((2, "train"), (3, "val"), (4, "test")):
        folder.pair("take", split)
        rows.append(f"{split},take.wav,{drive}")
    folder.pair("other", "train", dry=folder.audio("other"))
    write(folder, "knobs.csv", "\n".join([*rows, "train,other.wav,6"]))
    dataset = built(folder, ctx)
    assert [knobs(dataset, split)["take"] for split in SPLITS] == [[0], [0.25], [0.5]]


def test_a_row_can_name_a_file_with_its_split(folder, ctx):
    folder.splits()
    folder.pair("loud", "train", dry=folder.audio("loud"))
    rows = "file,drive\ntrain/train-take.wav,1\ntrain/loud,2\nval/val-take,1\ntest-take,1\n"
    dataset = built(write(folder, "knobs.csv", rows), ctx)
    assert knobs(dataset) == {"train-take": [0], "loud": [1]}


def test_settings_outside_the_seen_range_are_told(device, ctx):
    table = built(write(device, "knobs.csv", CSV.replace("test-take,5", "test-take,9")), ctx).report.table()
    assert f"knobs: {device.root}/test/target/test-take.wav: was made at drive = 9, outside [2, 6]" in table


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            CSV.replace("hard", "hart"),
            [
                "knobs.csv: line 4 names 'hart', which is no recording here (is it 'hard'?);"
                " correct or remove it",
                "train/target/hard.wav: has no settings in knobs.csv; add a row for 'hard'",
            ],
        ),
        (
            CSV + "ghost,1,1\n",
            ["knobs.csv: line 7 names 'ghost', which is no recording here; correct or remove it"],
        ),
        (
            CSV.replace("soft,2", "soft,loud"),
            ["knobs.csv: line 2 has drive = 'loud', not a number; write the setting of 'soft' as a number"],
        ),
        (
            CSV.replace("soft,2,0.5", "soft,2"),
            ["knobs.csv: line 2 has no 'tone'; write the setting of 'soft' as a number"],
        ),
        (
            CSV.replace("soft,2,0.5", "soft,2,0.5,7"),
            [
                "knobs.csv: line 2 has more cells than the first line has names;"
                " add the name or remove the cell"
            ],
        ),
        (
            CSV.replace("soft,2", "soft,inf"),
            ["knobs.csv: line 2 has drive = 'inf', not a number; write the setting of 'soft' as a number"],
        ),
        (
            CSV + "soft,3,0.5\n",
            ["knobs.csv: line 7 sets 'soft' again, after line 2; keep one of the two"],
        ),
        (
            CSV.replace("file", "name"),
            [
                'knobs.csv: has no line of distinct column names with "file" among them;'
                ' begin it with a line like "file,drive,tone"'
            ],
        ),
        ("file\nsoft\n", ["knobs.csv: sets no knob of any file; add settings, or remove the file"]),
        (
            "",
            [
                'knobs.csv: has no line of distinct column names with "file" among them;'
                ' begin it with a line like "file,drive,tone"'
            ],
        ),
        (
            CSV.replace(",6,", ",2,").replace(",4,", ",2,"),
            [
                "knobs.csv: drive has the one value 2 in the train split;"
                " remove it, declare its range, or record more settings"
            ],
        ),
        (
            CSV + "[low],0,0\n[high],5,1\n",
            [
                "train/target/hard.wav: was made at drive = 6, outside [0, 5];"
                " correct the setting or the range",
            ],
        ),
        (
            CSV + "[low],9,0\n[high],1,1\n",
            [
                "knobs.csv: gives 'drive' a range that is not [low, high] of a knob, low < high: ('9', '1');"
                " correct the range"
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_sheet_is_told(device, ctx, text, lines):
    assert refused(write(device, "knobs.csv", text), ctx) == lines


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "knobs.toml",
            "drive = ",
            "knobs.toml: is not valid TOML (Invalid value (at end of document)); correct it",
        ),
        (
            "knobs.json",
            "{",
            "knobs.json: is not valid JSON (Expecting property name enclosed in double quotes:"
            " line 1 column 2 (char 1)); correct it",
        ),
        (
            "knobs.toml",
            "soft = 1\n",
            'knobs.toml: has no table "files" of tables; write files."NAME" = { knob = number }'
            " and, if wanted, ranges.knob = [low, high]",
        ),
        (
            "knobs.toml",
            toml({}) + "[range]\ndrive = [0, 1]\n",
            'knobs.toml: has keys other than "files" and "ranges": range;'
            ' write files."NAME" = { knob = number }'
            " and, if wanted, ranges.knob = [low, high]",
        ),
    ],
)
def test_a_sheet_that_is_no_sheet_is_told(device, ctx, name, text, line):
    assert refused(write(device, name, text), ctx) == [line]


def test_two_sheets_are_refused(device, ctx):
    write(write(device, "knobs.csv", CSV), "knobs.json", "{}")
    assert refused(device, ctx) == [
        "knobs.json: is not the only knob file: knobs.csv is there too; keep one of them"
    ]


def test_a_sheet_that_is_not_there_is_told(device, ctx):
    assert refused(device, ctx, knobs=device.root / "none.csv") == [
        "none.csv: cannot be read (No such file or directory); correct data.knobs"
    ]


def test_a_sheet_of_another_kind_is_told(device, ctx):
    write(device, "knobs.yaml", "")
    assert refused(device, ctx, knobs=device.root / "knobs.yaml") == [
        "knobs.yaml: is not a knob file; write it as one of .csv, .toml, .json"
    ]


def test_a_knob_that_was_turned_comes_as_frames_and_so_do_all_others(device, ctx):
    files = {name: dict(row) for name, row in TABLES["files"].items()}
    files["soft"]["drive"] = [[0.1, 2], [0.3, 4]]
    write(device, "knobs.json", json.dumps({"files": files}))
    takes = {take.name: take for take in built(device, ctx).recordings("train")}
    frames = (takes["soft"].samples - 1) // ctx.hop + 2
    assert all(take.knobs.shape == (2, frames) for take in takes.values())
    seconds = np.arange(frames) * ctx.hop / ctx.sample_rate
    expected = (np.interp(seconds, [0.1, 0.3], [2, 4]) - 2) / 4
    assert np.allclose(takes["soft"].knobs[0], expected, atol=1e-6)
    assert np.allclose(takes["soft"].knobs[1], 0.5, atol=1e-6)
    assert np.allclose(takes["hard"].knobs, [[1.0], [1.0]])


@pytest.mark.parametrize(
    "points", [[], [[0, 1], [0, 2]], [[1, 2, 3]], [[0.5, 1], [0.2, 2]], [[0, "a"]], [[-1, 2]], [1, 2]]
)
def test_points_that_do_not_say_when_and_where_are_refused(device, ctx, points):
    files = {name: dict(row) for name, row in TABLES["files"].items()}
    files["soft"]["drive"] = points
    write(device, "knobs.json", json.dumps({"files": files}))
    (problem,) = refused(device, ctx)
    assert "files.'soft' has drive = " in problem
    assert "not [[seconds, number], ...] with rising seconds" in problem


def test_a_turned_knob_stays_within_its_declared_range(device, ctx):
    files = {name: dict(row) for name, row in TABLES["files"].items()}
    files["soft"]["drive"] = [[0, 2], [0.2, 11]]
    tables = {"files": files, "ranges": {"drive": [0, 10]}}
    write(device, "knobs.json", json.dumps(tables))
    assert any("drive = 11, outside [0, 10]" in problem for problem in refused(device, ctx))
