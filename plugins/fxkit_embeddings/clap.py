"""The `clap` embedding: the audio network of a language-audio model."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import EmbeddingTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Embedding


@attrs.frozen(kw_only=True)
class CLAP:
    """Describe windows of 10 s by the 512 numbers of LAION's CLAP (Wu et al., ICASSP 2023).

    It needs `pip install "fxkit[clap]"`, and a folder with a checkpoint in the form of transformers, such as
    laion/clap-htsat-unfused or laion/larger_clap_music: config.json, preprocessor_config.json, and
    model.safetensors or pytorch_model.bin. They are not part of fxkit and never fetched. The vectors have
    unit length, as tools for the Fréchet audio distance (Gui et al., 2024) take them, which give one per
    second. Shorter recordings are repeated, as the network was trained on them.
    """

    weights: Path = opt(help="folder with the checkpoint, or the weight file in it")
    sha256: str = opt("", help="how the weight file's SHA-256 begins; empty to take any file")
    hop: float = opt(1.0, unit="s", gt=0, le=10, help="time from window to window")

    @classmethod
    def examples(cls, folder: Path) -> tuple[CLAP, ...]:
        """Return small networks with weights that were drawn at random, in files in `folder`."""
        from fxkit_embeddings._clap import write_random

        if importlib.util.find_spec("transformers") is None:
            return (cls(weights=folder),)
        paths = [write_random(folder / f"random-{seed}", seed) for seed in (0, 1)]
        return cls(weights=paths[0], hop=0.5), cls(weights=paths[1])

    def traits(self, ctx: BuildContext) -> EmbeddingTraits:
        """Declare that it is published for the Fréchet audio distance."""
        return EmbeddingTraits(published_for_fad=True)

    def unmet(self) -> Iterator[tuple[str, str]]:
        """Yield what is missing here: the package, or a file."""
        from fxkit_embeddings._clap_folder import ClapFolder, needs_package

        if importlib.util.find_spec("transformers") is None:
            yield "type", needs_package()
        wrong = ClapFolder.at(self.weights).fault(self.sha256)
        if wrong:
            yield "weights", wrong

    def build(self, ctx: BuildContext) -> Embedding:
        """Build the network; raises `AssemblyError` when package or file is missing or another one."""
        from fxkit_embeddings._clap import loaded

        return loaded(self, ctx)
