"""What datasets say of a folder from names alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fxkit_data.audio_folder import AudioFolder
from fxkit_data.paired_audio import PairedAudio


@pytest.fixture
def touch(tmp_path):
    """Make files without content: names must be enough."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def test_pairs_in_split_folders_need_no_option_but_the_root(touch):
    folder = touch("train/input/a.wav", "train/target/a.wav", "test/input/b.flac", "test/target/b.flac")
    found = PairedAudio.survey(folder)
    assert found.options == {"root": folder}
    assert [(one.name, one.split) for one in found.recordings] == [("a", "train"), ("b", "test")]
    assert found.recordings[0].files == (folder / "train/input/a.wav", folder / "train/target/a.wav")
    assert (found.problems, found.arrangement) == ((), None)


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        (("dry/a.wav", "wet/a.wav"), ("dry", "wet")),
        (("train/Input/a.wav", "train/Output/a.wav"), ("Input", "Output")),
        (("DI/a.wav", "AMP/a.wav"), ("DI", "AMP")),
        (("take-dry.wav", "take-wet.wav"), ("dry", "wet")),
        (("train/take_clean.wav", "train/take_driven.wav"), ("clean", "driven")),
    ],
)
def test_other_words_for_the_sides_are_found(touch, names, sides):
    found = PairedAudio.survey(touch(*names))
    assert (found.options["input"], found.options["target"]) == sides
    assert len(found.recordings) == 1


def test_a_missing_partner_is_a_problem(touch):
    found = PairedAudio.survey(touch("input/a.wav", "target/a.wav", "input/b.wav"))
    assert len(found.problems) == 1
    assert "input/b.wav: has no target partner" in found.problems[0]


def test_knobs_are_named_and_checked_against_the_files(touch):
    folder = touch("input/a.wav", "target/a.wav")
    (folder / "knobs.csv").write_text("file,drive,tone\na,1,2\n")
    assert PairedAudio.survey(folder).knobs == ("drive", "tone")
    (folder / "knobs.csv").write_text("file,drive,tone\nb,1,2\n")
    assert PairedAudio.survey(folder).problems


@pytest.mark.parametrize("names", [("input.wav", "output.wav"), ("Dry.WAV", "wet.wav"), ("x.flac", "y.flac")])
def test_a_lone_pair_is_laid_out_by_links(touch, names):
    folder = touch(*names)
    found = PairedAudio.survey(folder).arrangement
    assert set(found.links.values()) == {folder / name for name in names}
    assert {name.split("/")[0] for name in found.links} == {"input", "target"}


def test_wet_files_by_setting_bring_a_sheet_of_what_was_turned(touch):
    folder = touch(
        "DRY/trainval/riff.input.wav",
        "DRY/test/solo.input.wav",
        *(f"Pedal/trainval/{one}/{one}.riff.target.wav" for one in ("G10_T50", "G90_T50")),
        "Pedal/test/G10_T50/G10_T50.solo.target.wav",
    )
    found = PairedAudio.survey(folder / "Pedal").arrangement
    assert found.links["train/input/G90_T50.riff.wav"] == folder / "DRY/trainval/riff.input.wav"
    assert len(found.links) == 6
    assert found.texts["knobs.csv"].splitlines() == [
        "file,split,G",
        "G10_T50.solo.wav,test,10",
        "G10_T50.riff.wav,train,10",
        "G90_T50.riff.wav,train,90",
    ]


def test_a_folder_of_neither_kind_is_a_problem_without_a_way_out(touch):
    found = PairedAudio.survey(touch("notes/a.wav"))
    assert found.arrangement is None
    assert "holds no pairs" in found.problems[0]


def test_a_missing_folder_is_a_problem(tmp_path):
    assert "no such folder" in PairedAudio.survey(tmp_path / "gone").problems[0]
    assert "no such folder" in AudioFolder.survey(tmp_path / "gone").problems[0]


def test_many_unused_files_are_one_remark(touch):
    folder = touch("train/a.wav", *(f"more/{number}.wav" for number in range(20)))
    found = AudioFolder.survey(folder)
    assert [one.name for one in found.recordings] == ["a"]
    assert found.remarks == ("20 other audio files there are not used, 0.wav among them",)


def test_a_survey_never_loads_torch(touch):
    folder = touch("input/a.wav", "target/a.wav")
    (folder / "knobs.csv").write_text("file,drive\na,1\n")
    code = (
        "import sys; from pathlib import Path; from fxkit_data.paired_audio import PairedAudio as P;"
        f"assert P.survey(Path({str(folder)!r})).recordings; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
