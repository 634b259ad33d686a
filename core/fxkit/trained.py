"""A trained model, loaded from its run folder: process, stream, and look at its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import attrs
import numpy as np
import numpy.typing as npt
import tomli
import torch

from fxkit.engine.setup import resolve_device
from fxkit.engine.streaming import process
from fxkit.errors import FxkitError, RunError
from fxkit.experiment.model import Blueprint, Experiment
from fxkit.experiment.reader import read_blueprint, read_experiment
from fxkit.feature_cache import FeatureCache
from fxkit.knob_settings import Setting, knob_settings
from fxkit.model.assembly import build_context, build_model, model_context
from fxkit.model.graph import Model
from fxkit.runs import checkpoint
from fxkit.runs.folder import RunFolder, open_folder
from fxkit.runs.shape import read_shape
from fxkit.runs.weights import weights_path
from fxkit.values import Output, Recording
from fxkit_signal.resampling import resample

Audio = npt.NDArray[np.float32] | torch.Tensor
Knobs = Mapping[str, Setting] | None


def load(path: str | Path, *, device: str = "auto", allow_local: bool = False) -> Trained:
    """Load the trained model of a run folder: its best weights, or the last where those were kept.

    Raises `RunError` when the folder is no run or holds no weights yet.
    """
    folder = open_folder(Path(path))
    experiment, training = _read(folder, allow_local)
    shape = read_shape(folder)
    chosen = resolve_device(device)
    ctx = model_context(experiment, **shape.facts())
    with torch.random.fork_rng():
        model = build_model(experiment, attrs.evolve(ctx, device=chosen))
    kept = weights_path(folder)
    checkpoint.load_weights(model, checkpoint.load(kept, chosen)["model"], kept)
    model.to(chosen).eval().requires_grad_(False)
    features = FeatureCache(experiment.features, build_context(experiment, "cpu"))
    return Trained(
        folder=folder,
        experiment=experiment,
        training=training,
        model=model,
        device=chosen,
        knobs=shape.knobs,
        features=features,
    )


def _read(folder: RunFolder, allow_local: bool) -> tuple[Blueprint, Experiment | None]:
    """Read what the model is made of, and the whole experiment where it was trained here."""
    document = tomli.loads(folder.resolved.read_text(encoding="utf-8"))
    if "data" not in document:
        return read_blueprint(document, str(folder.resolved)), None
    experiment = read_experiment(folder.resolved, allow_local=allow_local)
    return experiment, experiment


@attrs.frozen(kw_only=True, eq=False)
class Trained:
    """Hold a trained model ready to process audio; `knobs` are the device's settings and their ranges.

    `training` is the experiment that it was trained by, None for a model that was imported.
    """

    folder: RunFolder
    experiment: Blueprint
    training: Experiment | None
    model: Model
    device: str
    knobs: Mapping[str, tuple[float, float]]
    features: FeatureCache

    @property
    def sample_rate(self) -> int:
        """Return the model's rate in Hz."""
        return self.experiment.run.sample_rate

    def __call__(
        self, audio: Audio, rate: int | None = None, *, knobs: Knobs = None
    ) -> npt.NDArray[np.float32]:
        """Process a whole recording.

        `audio` is [samples] or [channels, samples] at `rate` Hz (the model's when absent; other rates
        are resampled there and back). `knobs` are the recorded device's settings by name; one that is
        turned meanwhile has a value for each sample of `audio`. A model that plays from features (pitch,
        loudness) takes them from `audio`. Returns an array of the same shape, aligned with the input.
        """
        return self._whole(audio, rate, knobs, block=65536)

    def process_in_blocks(
        self, audio: Audio, block: int, rate: int | None = None, *, knobs: Knobs = None
    ) -> npt.NDArray[np.float32]:
        """Process a whole recording in blocks of `block` samples; the same samples as in one go."""
        return self._whole(audio, rate, knobs, block=block)

    def stream(
        self, blocks: Iterable[Audio], *, knobs: Mapping[str, float] | None = None
    ) -> Iterator[npt.NDArray[np.float32]]:
        """Process blocks as they come, each [channels, samples] or [samples] at the model's rate.

        Yields one block per block, late by `latency` samples. `knobs` is read anew for each block, so that
        a mapping whose values are changed turns the knobs from the next block on. Raises `RunError` for a
        model that plays from features, which need the whole recording.
        """
        if self.experiment.features:
            raise RunError(
                "this model plays from features of a whole recording; call it instead of streaming"
            )
        state, values, given = None, None, None
        for block in blocks:
            tensor = _as_tensor(block)
            # The same tensor as before lets the model keep what it made of it.
            if given != dict(knobs or {}):
                given = dict(knobs or {})
                values = self._knob_tensor(given, 0, self.sample_rate)
            with torch.inference_mode():
                output = self.model(tensor[None].to(self.device), knobs=values, state=state)
            state = output.state
            yield _shaped(output.audio[0], block)

    @property
    def latency(self) -> int:
        """Return by how many samples a stream is late."""
        return self.model.latency

    def parameters_at(
        self, audio: Audio | None = None, *, knobs: Knobs = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Return "node.parameter" -> [size, time] in physical units.

        Constants have one value in time. Without `audio`, a tenth of a second of silence is used, which
        is enough for models whose controllers do not listen.
        """
        silence = np.zeros((self.channels, self.sample_rate // 10), dtype=np.float32)
        heard = _as_tensor(silence if audio is None else audio)
        turned = self._knob_tensor(knobs, heard.shape[-1], self.sample_rate)
        output = self._run(heard, turned, block=65536)
        return {name: track[0].cpu().numpy() for name, track in output.parameters.items()}

    @property
    def channels(self) -> int:
        """Return the channels of audio that the model takes (of the recordings it plays from)."""
        first = next(iter(self.model.plan.nodes.values()))
        return first.ctx.channels or first.ctx.target_channels

    def _whole(self, audio: Audio, rate: int | None, knobs: Knobs, *, block: int) -> npt.NDArray[np.float32]:
        if block < 1:
            raise RunError(f"a block has at least one sample, not {block}")
        tensor = _as_tensor(audio)
        outside = rate or self.sample_rate
        inside = resample(tensor, outside, self.sample_rate)
        turned = self._knob_tensor(knobs, tensor.shape[-1], outside)
        result = self._run(inside, turned, block=block).audio[0].cpu()
        back = resample(result, self.sample_rate, outside)[..., : tensor.shape[-1]]
        missing = tensor.shape[-1] - back.shape[-1]
        return _shaped(torch.nn.functional.pad(back, (0, missing)), audio)

    def _run(self, audio: torch.Tensor, knobs: torch.Tensor | None, *, block: int) -> Output:
        features = self._series(audio)
        plays = next(iter(self.model.plan.nodes.values())).ctx.channels == 0
        self._check_channels(audio)
        entering = audio[:0] if plays else audio
        with torch.inference_mode():
            return process(
                self.model,
                entering[None].to(self.device),
                knobs=knobs,
                features=features,
                block=block,
            )

    def _check_channels(self, audio: torch.Tensor) -> None:
        if audio.shape[0] != self.channels:
            raise RunError(
                f"the audio has {audio.shape[0]} channel(s), the model was trained on {self.channels}"
            )

    def _series(self, audio: torch.Tensor) -> dict[str, torch.Tensor]:
        recording = Recording(name="audio", target=audio)
        names = self.experiment.features
        return {name: self.features.extract(name, recording.target)[None].to(self.device) for name in names}

    def _knob_tensor(self, knobs: Knobs, samples: int, rate: int) -> torch.Tensor | None:
        frame = self.experiment.run.hop * rate / self.sample_rate
        values = knob_settings(knobs or {}, self.knobs, samples=samples, frame=frame)
        return None if values is None else torch.from_numpy(values)[None].to(self.device)


def _as_tensor(audio: Audio) -> torch.Tensor:
    tensor = torch.as_tensor(audio, dtype=torch.float32)
    if tensor.ndim not in (1, 2):
        raise FxkitError(f"audio is [samples] or [channels, samples], not of shape {tuple(tensor.shape)}")
    return tensor[None] if tensor.ndim == 1 else tensor


def _shaped(result: torch.Tensor, like: Audio) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = result.detach().cpu().numpy()
    return array[0] if like.ndim == 1 else array
