"""What a run writes: whole or not at all, strict, and readable again."""

from __future__ import annotations

import json

import attrs
import pytest
import torch

from fxkit.errors import RunError
from fxkit.files import remove_parts, strict_json, write_atomically, write_text
from fxkit.runs import checkpoint
from fxkit.runs.folder import create_folder, free_path, open_folder
from fxkit.runs.journal import Journal, read_journal, rewind
from fxkit.runs.progress import clock


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def fail(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_cut_off_write_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".last.pt.x1.part").write_text("half")
    (tmp_path / "deep" / ".keep").write_text("")
    (tmp_path / "mine.part").write_text("")
    remove_parts(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"deep", ".keep", "mine.part"}


def test_json_refuses_what_json_does_not_have():
    with pytest.raises(ValueError, match="JSON"):
        strict_json({"x": float("nan")})


def test_the_journal_writes_null_for_numbers_json_does_not_have(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.write("train", 1, {"loss": float("inf"), "fine": 0.5})
    journal.close()
    assert read_journal(tmp_path / "j.jsonl") == [{"kind": "train", "step": 1, "loss": None, "fine": 0.5}]


def test_rewinding_drops_later_records_and_a_line_that_was_cut_off(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_text("".join(json.dumps({"kind": "t", "step": step}) + "\n" for step in (1, 2, 3)) + '{"kind"')
    rewind(path, 2)
    assert [record["step"] for record in read_journal(path)] == [1, 2]


def test_rewinding_drops_records_of_the_same_step_that_were_written_behind_the_saved_state(tmp_path):
    path = tmp_path / "j.jsonl"
    first = Journal(path)
    first.write("train", 2, {})
    count = first.count
    first.write("val", 2, {})
    first.close()
    rewind(path, 2, count)
    again = Journal(path)
    assert again.count == 1
    again.close()
    assert [record["kind"] for record in read_journal(path)] == ["train"]


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    checkpoint.save(tmp_path / "c.pt", {"step": 3, "model": {"w": torch.arange(4.0)}})
    loaded = checkpoint.load(tmp_path / "c.pt")
    assert loaded["step"] == 3
    assert torch.equal(loaded["model"]["w"], torch.arange(4.0))


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Attack:
        def __reduce__(self):
            return (print, ("owned",))

    torch.save({"fxkit": 1, "model": Attack()}, tmp_path / "c.pt")
    with pytest.raises(RunError, match="damaged checkpoint"):
        checkpoint.load(tmp_path / "c.pt")


@pytest.mark.parametrize("size", [0, 10, 200])
def test_a_truncated_checkpoint_is_named(tmp_path, size):
    path = tmp_path / "c.pt"
    checkpoint.save(path, {"step": 3})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(RunError, match=r"c\.pt: damaged checkpoint"):
        checkpoint.load(path)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "c.pt")
    with pytest.raises(RunError, match="not a checkpoint of this version"):
        checkpoint.load(tmp_path / "c.pt")


def test_random_state_comes_back():
    state = checkpoint.random_state()
    first = torch.rand(3)
    checkpoint.restore_random_state(state)
    assert torch.equal(torch.rand(3), first)


def test_a_new_folder_never_takes_over_another(tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "x").write_text("")
    with pytest.raises(RunError, match="exists already"):
        free_path("n", tmp_path / "used")
    first = free_path("name", root=tmp_path)
    create_folder(first)
    (first / "x").write_text("")
    assert free_path("name", root=tmp_path) != first


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be created"):
        create_folder(tmp_path / "file" / "run")


def test_a_folder_with_a_damaged_experiment_is_named(tmp_path):
    (tmp_path / "resolved.toml").write_text("x = [")
    with pytest.raises(RunError, match=r"resolved\.toml: damaged"):
        open_folder(tmp_path)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65, "1:05"), (3725, "1:02:05")])
def test_durations_read_like_a_clock(seconds, text):
    assert clock(seconds) == text


def test_the_lock_tells_what_changed(tmp_path, kit):
    from fxkit.runs.lock import lock_changes, write_lock
    from fxkit.runs.shape import Shape, read_shape

    folder = create_folder(tmp_path / "run")
    shape = Shape(channels=1, target_channels=2, knobs={"drive": (0.0, 10.0)})
    document = {"python": "3.11", "packages": {"torch": "2.11"}, "git": {"commit": "a"}}
    write_lock(folder, document, shape, {"train": {"a.wav": "1"}})
    assert lock_changes(folder, document) == []
    changed = {
        **document,
        "packages": {"torch": "2.12"},
        "git": {"commit": "b"},
        "data": {"train": {"a.wav": "2"}},
    }
    assert [line.split(" was ")[0] for line in lock_changes(folder, changed)] == [
        "packages.torch",
        "data.train.a.wav",
    ]
    assert attrs.asdict(read_shape(folder)) == attrs.asdict(shape)


def test_a_missing_lock_is_named(tmp_path):
    from fxkit.runs.lock import lock_changes
    from fxkit.runs.shape import read_shape

    folder = create_folder(tmp_path / "run")
    assert "missing or damaged" in lock_changes(folder, {})[0]
    with pytest.raises(RunError, match=r"lock\.toml: missing or damaged"):
        read_shape(folder)


def test_a_damaged_state_says_which_older_one_there_is(tmp_path):
    last, best = tmp_path / "last.pt", tmp_path / "best.pt"
    for path in (last, best):
        path.write_bytes(b"PK")
    with pytest.raises(RunError, match="no older one is there: delete it to train from the start"):
        checkpoint.load(last)
    with pytest.raises(RunError, match="delete it to use the last weights"):
        checkpoint.load(best)
    for step in (500, 1000):
        checkpoint.save(tmp_path / f"step-{step:06d}.pt", {"step": step})
    with pytest.raises(RunError, match=r"copy .*step-001000\.pt over it to go on from there"):
        checkpoint.load(last)
