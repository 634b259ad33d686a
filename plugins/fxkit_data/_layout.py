"""Find dry/wet pairs and single recordings in a folder, whichever way it is laid out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from fxkit_data._finding import Finding
from fxkit_data._formats import FORMATS, READABLE, UNSUPPORTED
from fxkit_data._recorded import SPLITS


@attrs.frozen(kw_only=True)
class Source:
    """Name the files of one recording; `input` is None for material without a dry side.

    `split` is None where the folder leaves the choice to fractions.
    """

    name: str
    target: Path
    input: Path | None = None
    split: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files, dry side first."""
        return (self.target,) if self.input is None else (self.input, self.target)


@attrs.frozen(kw_only=True)
class Layout:
    """Hold what was found: recordings, what is wrong, and audio that no rule takes in."""

    sources: tuple[Source, ...]
    findings: tuple[Finding, ...] = ()


def find_pairs(root: Path, dry: str, wet: str) -> Layout:
    """Find dry/wet pairs below `root`; `dry` and `wet` spell the two sides in folder and file names."""
    missing = _no_folder(root)
    if missing:
        return missing
    parts = [_pairs_in(folder, split, dry, wet) for split, folder in _split_folders(root).items()]
    example = f"{dry}/NAME.wav and {wet}/NAME.wav, or NAME-{dry}.wav beside NAME-{wet}.wav"
    return _joined(root, parts, example)


def find_singles(root: Path) -> Layout:
    """Find single recordings below `root`."""
    missing = _no_folder(root)
    if missing:
        return missing
    parts = [_singles_in(folder, split) for split, folder in _split_folders(root).items()]
    return _joined(root, parts, "NAME.wav")


def _no_folder(root: Path) -> Layout | None:
    if root.is_dir():
        return None
    what = "is a file, not a folder" if root.exists() else "no such folder"
    return Layout(sources=(), findings=(_refusal("missing", root, what, "correct data.root"),))


def _split_folders(root: Path) -> Mapping[str | None, Path]:
    found: dict[str | None, Path] = {split: root / split for split in SPLITS if (root / split).is_dir()}
    return found or {None: root}


def _joined(root: Path, parts: Sequence[Layout], example: str) -> Layout:
    sources = tuple(source for part in parts for source in part.sources)
    found = [finding for part in parts for finding in part.findings]
    findings = (*found, *map(_foreign, _unsupported(sources)))
    if not sources and not findings:
        fix = f"put {FORMATS} files there as {example} (in train/, val/ and test/ or without)"
        findings = (_refusal("missing", root, "holds no audio", fix),)
    known = {file for source in sources for file in source.files} | {finding.file for finding in findings}
    stray = (_stray(path) for path in _audio_below(root) if path not in known)
    readable = tuple(source for source in sources if not _unsupported([source]))
    return Layout(sources=readable, findings=(*findings, *stray))


def _unsupported(sources: Sequence[Source]) -> list[Path]:
    return [file for source in sources for file in source.files if file.suffix.lower() in UNSUPPORTED]


def _foreign(path: Path) -> Finding:
    return _refusal("unsupported", path, f"{path.suffix} is not read", f"convert it to {FORMATS}")


def _stray(path: Path) -> Finding:
    what = "not used, as it lies outside the folders that are read"
    return Finding(check="unused", file=path, what=what, refused=False)


def _pairs_in(folder: Path, split: str | None, dry: str, wet: str) -> Layout:
    if (folder / dry).is_dir() or (folder / wet).is_dir():
        absent = [side for side in (folder / dry, folder / wet) if not side.is_dir()]
        if absent:
            finding = _refusal("missing", absent[0], "no such folder", "add the other side of the pairs")
            return Layout(sources=(), findings=(finding,))
        inputs, bad_inputs = _by_name(folder / dry)
        targets, bad_targets = _by_name(folder / wet)
    else:
        inputs, bad_inputs = _by_suffix(folder, dry)
        targets, bad_targets = _by_suffix(folder, wet)
    sources = tuple(
        Source(name=name, split=split, input=inputs[name], target=targets[name])
        for name in sorted(inputs.keys() & targets.keys())
    )
    alone = (*_partnerless(inputs, targets, wet), *_partnerless(targets, inputs, dry))
    findings = (*bad_inputs, *bad_targets, *alone)
    if not sources and not findings and (split or _folders(folder)):
        findings = (_no_pairs(folder, dry, wet),)
    return Layout(sources=sources, findings=findings)


def _no_pairs(folder: Path, dry: str, wet: str) -> Finding:
    what = f"holds no pairs: neither {dry}/ and {wet}/ nor NAME-{dry} and NAME-{wet}"
    here = f"; found {', '.join(_folders(folder))}" if _folders(folder) else ""
    fix = f"add audio, or name the sides by data.input and data.target{here}"
    return _refusal("missing", folder, what, fix)


def _folders(folder: Path) -> list[str]:
    return sorted(path.name + "/" for path in folder.iterdir() if path.is_dir())


def _partnerless(these: Mapping[str, Path], others: Mapping[str, Path], side: str) -> list[Finding]:
    free = sorted(others.keys() - these.keys())
    fix = "add that file or remove this one"
    return [
        _refusal("partner", path, f"has no {side} partner{_near(name, free)}", fix)
        for name, path in sorted(these.items())
        if name not in others
    ]


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" of that name (is it {near[0]!r}?)" if near else f" named {name!r}"


def _singles_in(folder: Path, split: str | None) -> Layout:
    found, findings = _by_name(folder)
    if split and not found and not findings:
        fix = f"add {FORMATS} files or remove the folder"
        findings = (_refusal("missing", folder, "holds no audio", fix),)
    sources = tuple(Source(name=name, split=split, target=path) for name, path in sorted(found.items()))
    return Layout(sources=sources, findings=findings)


def _audio_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if _is_audio(path)]


def _is_audio(path: Path) -> bool:
    known = path.suffix.lower() in READABLE or path.suffix.lower() in UNSUPPORTED
    return known and not path.name.startswith(".") and not path.is_dir()


def _by_name(folder: Path) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    paths = _audio_below(folder)
    return _unique((path.relative_to(folder).with_suffix("").as_posix(), path) for path in paths)


def _by_suffix(folder: Path, side: str) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    ending = re.compile(rf"(?P<name>.+)[-._]{re.escape(side)}", re.IGNORECASE)
    beside = [path for path in sorted(folder.iterdir()) if _is_audio(path)]
    matches = ((ending.fullmatch(path.stem), path) for path in beside)
    return _unique((match["name"], path) for match, path in matches if match)


def _unique(named: Iterable[tuple[str, Path]]) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    found: dict[str, Path] = {}
    findings = []
    for name, path in named:
        if name in found:
            what = f"has the same name as {found[name].name}"
            findings.append(_refusal("ambiguous", path, what, "keep one of the two, or rename it"))
        found.setdefault(name, path)
    return found, tuple(findings)


def _refusal(check: str, file: Path, what: str, fix: str) -> Finding:
    return Finding(check=check, file=file, what=what, fix=fix)
