"""Checks of what reads models of other programs, and of what writes models for them.

An importer's `files(folder)` writes small files that it reads; an exporter's `models()` returns tables of
nodes, each of which it can write as a model of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.errors import DataError, FxkitError
from fxkit.importing import assemble
from fxkit.model.graph import Model
from fxkit.spec import describe
from fxkit.testing.check import promise
from fxkit.testing.lifecycle import watched
from fxkit.testing.plain import PlainCase, check_that_options_act, shown
from fxkit.values import Imported

NO_FILES = "it has no files(folder) that writes some to read"
NO_MODELS = "it has no models() that it could write"
FOREIGN = {
    "song.wav": b"RIFF\x24\x00\x00\x00WAVEfmt ", "experiment.toml": b"fxkit = 1\n[run]\nname = 'x'\n",
    "empty.json": b"{}", "nothing": b"",
}  # fmt: skip


@contextmanager
def _files(case: PlainCase) -> Iterator[Sequence[Path]]:
    write: Callable[[Path], Sequence[Path]] | None = getattr(type(case.spec), "files", None)
    with tempfile.TemporaryDirectory() as place:
        yield tuple(write(Path(place))) if write else ()


def check_reads_its_own(case: PlainCase) -> str | None:
    """Check that an importer knows its own files, and claims no others."""
    importer = case.build()
    with _files(case) as files, tempfile.TemporaryDirectory() as place:
        for path in files:
            promise(importer.reads(path), case, f"does not know {path.name}, which is its own")
        for name, content in FOREIGN.items():
            Path(place, name).write_bytes(content)
            promise(not importer.reads(Path(place, name)), case, f"takes {name} for one of its files")
        return None if files else NO_FILES


def check_imports(case: PlainCase) -> str | None:
    """Check that every file becomes a model that takes the weights, runs, and is the same each time."""
    with _files(case) as files:
        read = _readable(case, files)
        for path, imported in read:
            promise(imported.sample_rate > 0, case, f"gives {path.name} no rate")
            model = assemble(imported, path).model
            knobs = torch.full((1, len(imported.knobs)), 0.5) if imported.knobs else None
            audio = 0.1 * torch.ones(1, 1, 64)
            with torch.inference_mode():
                finite = bool(model(audio, knobs=knobs).audio.isfinite().all())
            promise(finite, case, f"makes a model of {path.name} that yields what is not finite")
            again = shown(attrs.asdict(case.build()(path), recurse=False))
            same = again == shown(attrs.asdict(imported, recurse=False))
            promise(same, case, f"reads {path.name} otherwise the second time")
        promise(bool(read) or not files, case, "reads none of its own files")
        return None if files else NO_FILES


def _readable(case: PlainCase, files: Sequence[Path]) -> list[tuple[Path, Imported]]:
    """Read what can be read with these options: some may be needed for files that say too little."""
    found = []
    for path in files:
        try:
            found.append((path, case.build()(path)))
        except DataError as error:
            _check_told(case, path, error)
    return found


def _check_told(case: PlainCase, path: Path, error: DataError) -> None:
    text = str(error)
    promise("\n" not in text and str(path) in text, case, f"does not say in one line which file: {text!r}")


def check_broken_files(case: PlainCase) -> str | None:
    """Check that a file that is cut short, or is not there, is refused in one line that names it."""
    with _files(case) as files:
        for path in files:
            content = path.read_bytes()
            for share in (0.0, 0.3, 0.9):
                path.write_bytes(content[: int(share * len(content))])
                _check_refused(case, path, f"that is cut off after {share:.0%}")
            path.unlink()
            _check_refused(case, path, "that is not there")
        return None if files else NO_FILES


def _check_refused(case: PlainCase, path: Path, what: str) -> None:
    try:
        case.build()(path)
    except DataError as error:
        _check_told(case, path, error)
    except Exception as error:
        kind = type(error).__name__
        promise(False, case, f"answers a file {what} by {kind}, not by DataError: {error}")
    else:
        promise(False, case, f"reads a file {what}")


def check_importer_options(case: PlainCase) -> str | None:
    """Check that each option of an importer makes a difference to what one of its files becomes."""

    def observe(spec: Any) -> list[Any]:
        return [_observed(spec.build(case.ctx), path) for path in files]

    with _files(case) as files:
        if files:
            check_that_options_act(case, observe)
        return None if files else NO_FILES


def _observed(importer: Any, path: Path) -> Any:
    try:
        return shown(attrs.asdict(importer(path), recurse=False))
    except FxkitError as error:
        return str(error)


def check_exports_its_own(case: PlainCase) -> str | None:
    """Check that an exporter writes each kind of model that it names, and leaves the model alone."""
    models = list(_models(case))
    for model in models:
        with tempfile.TemporaryDirectory() as place:
            check_written(case, model, Path(place))
    return None if models else NO_MODELS


def _models(case: PlainCase) -> Iterator[Model]:
    offer = getattr(type(case.spec), "models", tuple)
    for table in offer():
        torch.manual_seed(2)
        imported = Imported(sample_rate=48000, nodes={"node": table}, chain=("node",), weights={})
        yield assemble(imported, Path("model")).model


def check_written(case: PlainCase, model: Model, place: Path) -> None:
    """Raise where an exporter does not write into its folder alone, or changes the model."""
    folder = place / "export"
    folder.mkdir()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    written = [Path(path) for path in case.build()(model, str(folder))]
    promise(bool(written), case, "names no file that it wrote")
    absent = [str(path) for path in written if not path.is_file()]
    promise(not absent, case, f"names {', '.join(absent)}, which it did not write")
    outside = [str(path) for path in written if folder.resolve() not in path.resolve().parents]
    promise(not outside, case, f"writes {', '.join(outside)} outside of its folder")
    same = all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    promise(same, case, "changes the weights of the model")


def check_export(case: PlainCase) -> str | None:
    """Check that an exporter writes a small model into its folder alone, or refuses it in words."""
    from fxkit.engine.setup import prepare
    from fxkit.testing.small_run import small_experiment

    with tempfile.TemporaryDirectory() as place:
        model = prepare(small_experiment(Path(place)), device="cpu").model.eval()
        try:
            check_written(case, model, Path(place))
        except FxkitError as error:
            return f"it refuses a small model: {str(error).splitlines()[0]}"
    return None


def check_exporter_options(case: PlainCase) -> str | None:
    """Check that the plugin's code reads each option of an exporter when it writes a model."""
    models = list(_models(case))
    read: set[str] = set()
    for model in models:
        with tempfile.TemporaryDirectory() as place:
            watched(case.spec, read).build(case.ctx)(model, place)
    unread = [option.name for option in describe(type(case.spec)).options if option.name not in read]
    promise(not models or not unread, case, f"never reads the option {', '.join(unread)}")
    return None if models else NO_MODELS
