"""CLAP from a local folder: its front end, what it refuses, and that it never asks the network."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import sys

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.embedding import windows
from fxkit.errors import AssemblyError
from fxkit.traits import embedding_traits
from fxkit_embeddings.clap import CLAP

CTX = BuildContext(sample_rate=48000)


def noise(seed, *shape):
    return 0.2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_published_for_the_audio_distance(tmp_path):
    assert embedding_traits(CLAP(weights=tmp_path), CTX).published_for_fad


def test_a_missing_folder_is_named_with_what_is_needed(tmp_path):
    (_, message), *_ = (found for found in CLAP(weights=tmp_path / "absent").unmet() if found[0] == "weights")
    assert message.startswith(
        f"no file {tmp_path}/absent/model.safetensors; it needs the model.safetensors or"
    )
    assert "laion/clap-htsat-unfused" in message
    with pytest.raises(AssemblyError, match=r"clap: no file .*model\.safetensors; it needs"):
        CLAP(weights=tmp_path / "absent").build(CTX)


@pytest.mark.parametrize("absent", ["config.json", "preprocessor_config.json"])
def test_a_missing_file_beside_the_weights_is_named(tmp_path, absent):
    for name in {"config.json", "preprocessor_config.json", "pytorch_model.bin"} - {absent}:
        (tmp_path / name).write_text("{}")
    assert f"no file {tmp_path}/{absent}; it belongs to" in dict(CLAP(weights=tmp_path).unmet())["weights"]
    with pytest.raises(AssemblyError, match=rf"no file .*/{absent}; it belongs to .* pytorch_model\.bin"):
        CLAP(weights=tmp_path / "pytorch_model.bin").build(CTX)


def test_without_the_package_its_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("config.json", "preprocessor_config.json", "pytorch_model.bin"):
        (tmp_path / name).write_text("{}")
    needed = 'it needs the package transformers; pip install "fxkit[clap]"'
    assert list(CLAP(weights=tmp_path).unmet()) == [("type", needed)]
    with pytest.raises(AssemblyError) as told:
        CLAP(weights=tmp_path).build(CTX)
    assert str(told.value).startswith(f"clap: {needed}")
    assert CLAP.examples(tmp_path)


class TestNetwork:
    """With the package; the checkpoints are small and drawn at random."""

    @pytest.fixture(scope="class")
    @staticmethod
    def folder(tmp_path_factory):
        pytest.importorskip("transformers", reason='needs pip install "fxkit[clap]"')
        from fxkit_embeddings._clap import write_random

        return write_random(tmp_path_factory.mktemp("clap") / "plain", 0)

    def test_windows_become_unit_vectors_without_any_connection(self, folder, monkeypatch):
        def refuse(*arguments):
            raise AssertionError("asked the network")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        module = CLAP(weights=folder).build(CTX)
        assert (module.samples, module.hop, module.repeats) == (96000, 48000, True)
        audio = noise(0, 3, 2, module.samples)
        vectors = module(audio)
        assert vectors.shape == (3, 12)
        assert vectors.norm(dim=1).tolist() == pytest.approx([1.0] * 3, abs=1e-6)
        assert torch.allclose(module(audio[1:2]), vectors[1:2], atol=1e-6)
        assert not module.training

    def test_the_weights_are_known_by_their_hash(self, folder):
        digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        module = CLAP(weights=folder, sha256=digest[:12]).build(CTX)
        assert module.digest == digest
        assert module.provenance == f"clap, weights of SHA-256 {digest}"
        assert not list(CLAP(weights=folder / "model.safetensors", sha256=digest).unmet())
        assert "not 1234..." in dict(CLAP(weights=folder, sha256="1234").unmet())["weights"]
        with pytest.raises(AssemblyError, match=rf"has SHA-256 {digest[:16]}\.\.\., not 1234\.\.\."):
            CLAP(weights=folder, sha256="1234").build(CTX)

    def test_both_kinds_of_weight_file_give_the_same(self, folder, tmp_path):
        from safetensors.torch import load_file

        for name in ("config.json", "preprocessor_config.json"):
            shutil.copy(folder / name, tmp_path / name)
        weights = load_file(folder / "model.safetensors")
        # A whole checkpoint holds the text network, too.
        torch.save({**weights, "text_model.some.weight": torch.zeros(2)}, tmp_path / "pytorch_model.bin")
        audio = noise(1, 1, 1, 96000)
        one, other = (CLAP(weights=path).build(CTX)(audio) for path in (folder, tmp_path))
        assert torch.equal(one, other)

    def test_weights_that_are_not_all_there_are_refused(self, folder, tmp_path):
        from safetensors.torch import load_file, save_file

        for name in ("config.json", "preprocessor_config.json"):
            shutil.copy(folder / name, tmp_path / name)
        weights = load_file(folder / "model.safetensors")
        del weights["audio_projection.linear1.weight"]
        save_file(weights, tmp_path / "model.safetensors")
        with pytest.raises(
            AssemblyError, match=r"no checkpoint of CLAP \(1 weights, as audio_projection\.lin"
        ):
            CLAP(weights=tmp_path).build(CTX)
        (tmp_path / "model.safetensors").write_bytes(b"no weights at all")
        with pytest.raises(AssemblyError, match=r"model\.safetensors is no checkpoint of CLAP \("):
            CLAP(weights=tmp_path).build(CTX)

    @pytest.mark.parametrize("fused", [False, True])
    def test_its_picture_is_the_front_end_that_the_checkpoint_describes(self, tmp_path, fused):
        pytest.importorskip("transformers", reason='needs pip install "fxkit[clap]"')
        from fxkit_embeddings._clap import write_random

        module = CLAP(weights=write_random(tmp_path / "checkpoint", 0, fused=fused)).build(CTX)
        seen = []
        module.network.register_forward_pre_hook(lambda *call: seen.append(call[2]), with_kwargs=True)
        audio = noise(2, 1, 2, 96000)
        module(audio)
        picture = seen[0]["input_features"]
        assert picture.shape == (1, 4 if fused else 1, 101, 16)
        assert not seen[0]["is_longer"].any()
        expected = decibels(audio[0].double().mean(0).numpy(), 16, slaney=not fused)
        assert np.abs(picture[0].double().numpy() - expected).max() < 1e-3

    def test_other_rates_are_heard_at_the_same_pitch(self, folder):
        tone = torch.sin(2 * torch.pi * 1000 * torch.arange(192000) / 48000)[None, None]
        low = torch.sin(2 * torch.pi * 1000 * torch.arange(88200) / 44100)[None, None]
        module = CLAP(weights=folder).build(BuildContext(sample_rate=44100))
        assert module.samples == 88200
        there = CLAP(weights=folder).build(CTX)(tone[..., :96000])
        assert torch.allclose(module(low), there, atol=1e-3)

    def test_short_recordings_are_repeated(self, folder):
        module = CLAP(weights=folder).build(CTX)
        audio = noise(3, 1, 40000)
        (window,) = windows(audio, module)
        assert torch.equal(window[:, 40000:80000], audio)

    def test_a_checkpoint_of_the_audio_network_alone_is_read(self, folder, tmp_path):
        shutil.copytree(folder, tmp_path / "alone")
        config = json.loads((folder / "config.json").read_text())["audio_config"]
        (tmp_path / "alone" / "config.json").write_text(json.dumps(config))
        audio = noise(1, 1, 1, 96000)
        one, other = (CLAP(weights=path).build(CTX)(audio) for path in (folder, tmp_path / "alone"))
        assert torch.equal(one, other)


def decibels(signal, bands, *, slaney):
    """Return the mel spectrogram of 48 kHz audio in dB, frame by frame in float64."""
    size, hop, low, high = 1024, 960, 50.0, 14000.0

    def mel(hz):
        if not slaney:
            return 2595 * np.log10(1 + hz / 700)
        # Straight to 1 kHz, then 27 steps per factor of 6.4 (Slaney, Auditory toolbox, 1998).
        return hz / (200 / 3) if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    def hertz(mels):
        if not slaney:
            return 700 * (10 ** (mels / 2595) - 1)
        return mels * 200 / 3 if mels < 15 else 1000 * 6.4 ** ((mels - 15) / 27)

    edges = [hertz(value) for value in np.linspace(mel(low), mel(high), bands + 2)]
    weights = np.zeros((size // 2 + 1, bands))
    for k in range(size // 2 + 1):
        for band, (left, centre, right) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
            hz = k * 48000 / size
            height = max(0.0, min((hz - left) / (centre - left), (right - hz) / (right - centre)))
            weights[k, band] = height * (2 / (right - left) if slaney else 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    padded = np.pad(signal, size // 2, mode="reflect")
    starts = range(0, len(signal) + 1, hop)
    power = np.array([np.abs(np.fft.rfft(hann * padded[start : start + size])) ** 2 for start in starts])
    return 10 * np.log10(np.maximum(power @ weights, 1e-10))
