"""Embeddings against their definitions, and weight files that are missing or others."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.embedding import VectorCache, count_windows, embedded, windows
from fxkit.errors import AssemblyError
from fxkit_embeddings._vggish import VGGishModule, write_random
from fxkit_embeddings.logmel_stats import LogmelStats
from fxkit_embeddings.vggish import VGGish

RATE = 16000
CTX = BuildContext(sample_rate=RATE)


def noise(seed, *shape):
    return 0.2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def triangles(bands, size, low, high, *, in_mel, area):
    """Return triangular weights [bins, bands], one bin at a time."""

    def mel(hz):
        return 2595 * math.log10(1 + hz / 700)

    points = np.linspace(mel(low), mel(high), bands + 2)
    hz = [700 * (10 ** (point / 2595) - 1) for point in points]
    edges = points if in_mel else hz
    weights = np.zeros((size // 2 + 1, bands))
    for k in range(size // 2 + 1):
        place = mel(k * RATE / size) if in_mel else k * RATE / size
        for band in range(bands):
            left, centre, right = edges[band : band + 3]
            height = max(0.0, min((place - left) / (centre - left), (right - place) / (right - centre)))
            weights[k, band] = height * (2 * RATE / size / (right - left) if area else 1)
    return weights


def spectra(signal, frame, hop, size):
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    starts = range(0, len(signal) - frame + 1, hop)
    return np.array([np.abs(np.fft.rfft(hann * signal[k : k + frame], size)) for k in starts])


def test_logmel_stats_are_means_and_deviations_of_log_bands():
    embedding = LogmelStats(bands=6, window=0.5, top=7000.0, floor=-60.0).build(CTX)
    assert embedding.samples == embedding.hop == 8000
    audio = noise(0, 2, 2, 8000)
    weights = triangles(6, 1024, 40.0, 7000.0, in_mel=False, area=True)
    for item, vector in zip(audio, embedding(audio), strict=True):
        magnitudes = spectra(item.double().mean(0).numpy(), 1024, 256, 1024) + 1e-3 * 512 / 2
        logs = np.log(magnitudes @ weights)
        assert vector.tolist() == pytest.approx([*logs.mean(0), *logs.std(0)], rel=1e-9)


def test_logmel_stats_say_what_they_are_and_never_fad():
    embedding = LogmelStats().build(CTX)
    assert embedding.provenance == (
        "logmel-stats-v1: 8 bands, 40 to 8000 Hz, FFT 1024, windows of 16000 samples at 16000 Hz,"
        " floor -100 dBFS"
    )
    assert embedding(noise(0, 3, 1, 16000)).shape == (3, 16)


def test_level_counts():
    embedding = LogmelStats().build(CTX)
    audio = noise(0, 1, 1, 16000)
    means = embedding(0.5 * audio)[0, :8] - embedding(audio)[0, :8]
    assert means.tolist() == pytest.approx([math.log(0.5)] * 8, abs=1e-3)


class TestWindows:
    embedding = LogmelStats(window=0.25).build(CTX)

    def test_windows_follow_each_other_and_the_rest_is_left_out(self):
        audio = noise(0, 2, 9000)
        cut = windows(audio, self.embedding)
        assert cut.shape == (2, 2, 4000)
        assert torch.equal(cut[1], audio[:, 4000:8000])

    def test_a_short_recording_is_filled_up_with_silence(self):
        audio = noise(0, 1, 1000)
        (window,) = windows(audio, self.embedding)
        assert torch.equal(window[:, :1000], audio)
        assert not window[:, 1000:].any()

    def test_recordings_become_one_set(self):
        recordings = [noise(0, 1, 9000), noise(1, 1, 4000), noise(2, 1, 100)]
        vectors = embedded(recordings, self.embedding)
        assert vectors.shape == (4, 16)
        assert vectors.dtype == torch.float64
        assert torch.equal(vectors[2], self.embedding(recordings[1][None])[0])

    @pytest.mark.parametrize("samples", [100, 4000, 4001, 7999, 8000, 12100])
    @pytest.mark.parametrize("hop", [4000, 1000, 6000])
    def test_windows_can_lie_closer_and_are_counted(self, samples, hop):
        cut = windows(noise(0, 1, samples), self.embedding, hop)
        assert len(cut) == count_windows([noise(0, 1, samples)], self.embedding, hop)
        assert len(cut) == sum(1 for start in range(0, max(1, samples - 3999), hop))

    def test_a_short_recording_is_repeated_where_the_embedding_wants_that(self):
        embedding = LogmelStats(window=0.25).build(CTX)
        embedding.repeats = True
        audio = noise(0, 2, 1500)
        (window,) = windows(audio, embedding)
        assert torch.equal(window[:, :3000], audio.repeat(1, 2))
        assert not window[:, 3000:].any()

    @pytest.mark.parametrize(
        ("audio", "reason"),
        [
            (torch.zeros(4000), r"shape \(4000,\); it has to be \[channels, samples\]"),
            (torch.zeros(0, 4000), "has to be"),
            (torch.zeros(1, 0), "has to be"),
            (torch.full((1, 4000), math.nan), "samples that are not finite"),
        ],
    )
    def test_what_is_no_recording_is_refused(self, audio, reason):
        with pytest.raises(ValueError, match=reason):
            embedded([audio], self.embedding)

    @pytest.mark.parametrize(
        ("vectors", "reason"),
        [
            (lambda audio: audio.mean(dim=(1, 2)), r"gave \(1,\) for 1 windows"),
            (lambda audio: torch.zeros(3, 2), r"gave \(3, 2\) for 1 windows"),
            (lambda audio: torch.full((1, 2), math.inf), "vectors that are not finite"),
        ],
    )
    def test_an_embedding_that_gives_no_vectors_is_named(self, vectors, reason):
        class Odd:
            samples = hop = 4000
            provenance = "odd-v1"

            def __call__(self, audio):
                return vectors(audio)

        with pytest.raises(ValueError, match=f"odd-v1: .*{reason}"):
            embedded([noise(0, 1, 4000)], Odd())


class TestVectorCache:
    embedding = LogmelStats(window=0.25).build(CTX)

    def test_vectors_are_computed_once_for_each_content(self, tmp_path, monkeypatch):
        recordings = [noise(0, 1, 9000), noise(1, 1, 4000)]
        expected = embedded(recordings, self.embedding)
        assert torch.equal(VectorCache(folder=tmp_path).embedded(recordings, self.embedding), expected)
        monkeypatch.setattr("fxkit.embedding.embedded", None)
        assert torch.equal(VectorCache(folder=tmp_path).embedded(recordings, self.embedding), expected)

    def test_another_sample_embedding_or_hop_is_computed_anew(self, tmp_path):
        cache, audio = VectorCache(folder=tmp_path), noise(0, 1, 9000)
        first = cache.embedded([audio], self.embedding)
        changed = audio.clone()
        changed[0, 100] += 0.1
        assert not torch.equal(cache.embedded([changed], self.embedding), first)
        other = LogmelStats(window=0.25, floor=-40.0).build(CTX)
        assert not torch.equal(cache.embedded([audio], other), first)
        assert len(cache.embedded([audio], self.embedding, 1000)) == 6
        assert torch.equal(cache.embedded([audio], self.embedding), first)

    def test_a_damaged_file_is_replaced(self, tmp_path):
        cache, audio = VectorCache(folder=tmp_path), noise(0, 1, 9000)
        first = cache.embedded([audio], self.embedding)
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes()[:60])
        assert torch.equal(cache.embedded([audio], self.embedding), first)
        assert torch.equal(cache.embedded([audio], self.embedding), first)
        assert np.load(path).shape == (2, 16)


class TestVGGish:
    def test_its_picture_is_the_front_end_of_audioset(self):
        module = VGGishModule(RATE)
        seen = []
        module.features.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        audio = noise(0, 1, 1, module.samples)
        assert (module.samples, module.hop) == (15600, 15360)
        with torch.no_grad():
            assert module(audio).shape == (1, 128)
        weights = triangles(64, 512, 125.0, 7500.0, in_mel=True, area=False)
        expected = np.log(spectra(audio[0, 0].double().numpy(), 400, 160, 512) @ weights + 0.01)
        assert seen[0].shape == (1, 1, 96, 64)
        assert np.abs(seen[0][0, 0].numpy() - expected).max() < 1e-4

    def test_the_names_of_its_weights_are_those_of_the_published_file(self):
        names = [name for name in VGGishModule(RATE).state_dict() if name.endswith("weight")]
        convolutions = [f"features.{index}.weight" for index in (0, 3, 6, 8, 11, 13)]
        assert names == [*convolutions, *(f"embeddings.{index}.weight" for index in (0, 2, 4))]

    def test_a_missing_file_is_named_with_what_is_needed(self, tmp_path):
        with pytest.raises(AssemblyError, match=r"no file .*absent\.pth; it needs vggish-10086976\.pth"):
            VGGish(weights=tmp_path / "absent.pth").build(CTX)

    def test_another_file_is_refused_by_its_hash(self, tmp_path):
        (tmp_path / "x.pth").write_bytes(b"something else")
        digest = hashlib.sha256(b"something else").hexdigest()[:16]
        with pytest.raises(AssemblyError, match=rf"has SHA-256 {digest}\.\.\., not 10086976\.\.\."):
            VGGish(weights=tmp_path / "x.pth").build(CTX)

    def test_what_is_wrong_with_the_file_can_be_asked_before(self, tmp_path):
        ((option, message),) = VGGish(weights=tmp_path / "absent.pth").unmet()
        assert option == "weights"
        assert "absent.pth; it needs vggish-10086976.pth, which is not fetched: put it there" in message
        (tmp_path / "x.pth").write_bytes(b"something else")
        ((_, message),) = VGGish(weights=tmp_path / "x.pth").unmet()
        assert "not 10086976..." in message
        digest = hashlib.sha256(b"something else").hexdigest()
        assert not list(VGGish(weights=tmp_path / "x.pth", sha256=digest.upper()).unmet())
        assert not list(VGGish(weights=tmp_path / "x.pth", sha256="").unmet())

    def test_a_file_that_holds_no_such_weights_is_refused(self, tmp_path):
        torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "x.pth")
        with pytest.raises(AssemblyError, match="does not hold the weights of VGGish"):
            VGGish(weights=tmp_path / "x.pth", sha256="").build(CTX)
        (tmp_path / "y.pth").write_bytes(b"no zip")
        with pytest.raises(AssemblyError, match="does not hold the weights of VGGish"):
            VGGish(weights=tmp_path / "y.pth", sha256="").build(CTX)

    def test_weights_of_the_right_names_are_taken_and_recorded_by_their_hash(self, tmp_path):
        path = tmp_path / "weights.pth"
        weights = torch.load(write_random(tmp_path / "random.pth", 0))
        torch.save({**weights, "pproc.pca_means": torch.zeros(1)}, path)
        module = VGGish(weights=path, sha256="").build(BuildContext(sample_rate=48000))
        assert module.samples == 46800
        assert module.digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert module.provenance.endswith(module.digest)
        assert not module.training
        vectors = module(noise(0, 1, 1, 46800))
        assert vectors.shape == (1, 128)
        assert torch.equal(module.features[0].weight, weights["features.0.weight"])
