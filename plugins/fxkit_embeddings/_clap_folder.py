"""The folder of a CLAP checkpoint, in the form of transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from fxkit.errors import AssemblyError
from fxkit_embeddings._weight_file import fault

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
NEEDED = "the model.safetensors or pytorch_model.bin of a CLAP checkpoint, such as laion/clap-htsat-unfused"


def needs_package() -> str:
    """Say which extra brings the network."""
    return 'it needs the package transformers; pip install "fxkit[clap]"'


@attrs.frozen(kw_only=True)
class ClapFolder:
    """Hold the files of a checkpoint."""

    weights: Path

    @classmethod
    def at(cls, path: Path) -> ClapFolder:
        """Find the weight file at a path: that itself, or in that folder."""
        if path.suffix in (".safetensors", ".bin"):
            return cls(weights=path)
        there = (path / name for name in _WEIGHTS)
        return cls(weights=next((one for one in there if one.is_file()), path / _WEIGHTS[0]))

    def fault(self, prefix: str) -> str | None:
        """Return what is wrong with the files, or None; the SHA-256 of the weights begins with `prefix`."""
        return fault(self.weights, NEEDED, prefix) or self._lost()

    def check(self) -> None:
        """Raise `AssemblyError` when a file that belongs to the weights is not there."""
        lost = self._lost()
        if lost:
            raise AssemblyError("clap", lost)

    def _lost(self) -> str | None:
        for path in (self._beside("config.json"), self._beside("preprocessor_config.json")):
            if self.weights.is_file() and not path.is_file():
                return f"no file {path}; it belongs to the checkpoint of {self.weights.name}: put it there"
        return None

    def audio_config(self) -> Mapping[str, Any]:
        """Return what describes the audio network: a part of the checkpoint's, or all of an audio one's."""
        found: Mapping[str, Any] = json.loads(self._beside("config.json").read_text("utf-8"))
        outer = {"projection_dim": found["projection_dim"]} if "projection_dim" in found else {}
        return {**found.get("audio_config", found), **outer}

    def front_end(self) -> Mapping[str, Any]:
        """Return what describes the front end."""
        found: Mapping[str, Any] = json.loads(self._beside("preprocessor_config.json").read_text("utf-8"))
        return found

    def _beside(self, name: str) -> Path:
        return self.weights.parent / name
