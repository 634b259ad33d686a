"""Time the pitch tracker and measure its errors against librosa.yin, where that is installed.

    python tests/performance/bench_f0.py [--seconds 60] [--hop 160] [--rounds 3] [--flute FOLDER]

The sound is a glide from 110 to 880 Hz at 16 kHz, ten harmonics with vibrato, in white noise at several
levels; one thread. Rounds alternate; the figure is the median of process CPU time. `--flute` adds
recordings: each NAME.flac with a NAME.f0.csv beside it that has the columns f0_audio_hz and voiced.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import pathlib
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from fxkit_signal.pitch import track_pitch

Array = npt.NDArray[np.float64]
Tracker = Callable[[npt.NDArray[np.float32], int], Array]
RATE = 16000
# A reading that far from the truth is an error of another kind: another note.
GROSS_CENTS = 50


def glide(seconds: float) -> tuple[Array, Array]:
    """Return f0 in Hz and the sound, [samples] each."""
    moment = np.arange(int(seconds * RATE)) / RATE
    f0 = 110 * 2 ** (3 * moment / seconds + 30 / 1200 * np.sin(2 * np.pi * 5.5 * moment))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    sound = sum(np.sin(h * phase + h * h) / h * (h * f0 < 0.45 * RATE) for h in range(1, 11))
    return f0, np.asarray(sound)


def in_noise(sound: Array, snr: float) -> npt.NDArray[np.float32]:
    """Return the sound with white noise `snr` dB below it, at an RMS of 0.1."""
    noise = np.random.default_rng(0).standard_normal(len(sound))
    mixed = sound / np.sqrt(np.mean(sound**2)) + noise * 10 ** (-snr / 20)
    return np.asarray(0.1 * mixed / np.sqrt(np.mean(mixed**2)), np.float32)


def ours(sound: npt.NDArray[np.float32], hop: int) -> Array:
    """Follow the pitch at default settings."""
    return track_pitch(torch.from_numpy(sound), RATE, hop).f0.double().numpy()


def librosa_yin(sound: npt.NDArray[np.float32], hop: int) -> Array:
    """Follow the pitch with librosa's YIN over the same range."""
    import librosa

    return np.asarray(librosa.yin(sound, fmin=50, fmax=2000, sr=RATE, hop_length=hop, frame_length=2048))


def trackers() -> dict[str, Tracker]:
    """Return what can be compared here."""
    found: dict[str, Tracker] = {"fxkit": ours}
    if importlib.util.find_spec("librosa"):
        found["librosa.yin"] = librosa_yin
    return found


def seconds_taken(
    candidates: dict[str, Tracker], sound: npt.NDArray[np.float32], hop: int, rounds: int
) -> None:
    """Print the median CPU time of each over alternating rounds, after one to warm up."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds + 1):
        for name, follow in candidates.items():
            start = time.process_time()
            follow(sound, hop)
            times[name].append(time.process_time() - start)
    reference = statistics.median(times["fxkit"][1:])
    for name, taken in times.items():
        median, length = statistics.median(taken[1:]), len(sound) / RATE
        speed = f"{length / median:6.0f} x real time"
        print(f"{name:12} {median:7.2f} s  {speed}  {median / reference:5.2f} of fxkit's time")


def errors(follow: Tracker, sound: npt.NDArray[np.float32], f0: Array, hop: int) -> str:
    """Return the median error in cents, and the shares of gross errors and of octaves among them."""
    found = follow(sound, hop)
    truth = f0[::hop][: len(found)]
    cents = np.abs(1200 * np.log2(found[: len(truth)] / truth))
    octaves = np.abs(cents - 1200) < GROSS_CENTS
    gross = f"{np.mean(cents > GROSS_CENTS):6.2%} gross ({np.mean(octaves):.2%} octaves)"
    return f"median {np.median(cents):6.2f} cents  {gross}"


def flute(folder: pathlib.Path) -> None:
    """Print how recordings read against the pitch written beside them, one line each and the mean."""
    rows = []
    for path in sorted(folder.rglob("*.flac")):
        sheet = path.with_suffix(".f0.csv")
        if sheet.exists():
            rows.append(recording_scores(path, sheet))
            print(f"{path.name:18}", text(rows[-1]))
    print(f"{'mean':18}", text(np.mean(rows, axis=0)))


def recording_scores(path: pathlib.Path, sheet: pathlib.Path) -> Array:
    """Return raw pitch accuracy, median cents, gross share where both are voiced, and the voicing's F1."""
    sound, rate = soundfile.read(path, dtype="float32")
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    hop = round(float(rows[1]["time_s"]) * rate)
    track = track_pitch(torch.from_numpy(sound), rate, hop)
    count = min(len(rows), len(track.f0))
    f0 = np.array([float(row["f0_audio_hz"]) for row in rows[:count]])
    sounding = np.array([row["voiced"] == "1" for row in rows[:count]])
    voiced, known = track.voiced.numpy()[:count], sounding & (f0 > 0)
    cents = np.full(count, np.inf)
    cents[known] = np.abs(1200 * np.log2(track.f0.numpy()[:count][known] / f0[known]))
    f1 = 2 * np.sum(voiced & sounding) / (voiced.sum() + sounding.sum())
    gross = np.mean(cents[known & voiced] > GROSS_CENTS)
    return np.array([np.mean(cents[known] <= GROSS_CENTS), np.median(cents[known]), gross, f1])


def text(scores: Array) -> str:
    """Write the scores of one recording."""
    accuracy, median, gross, f1 = scores
    return f"RPA@50c {accuracy:.4f}  median {median:.2f} cents  gross {gross:.2%}  voicing F1 {f1:.3f}"


def main() -> None:
    """Print speed, errors at four noise levels and, if asked, those on recordings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hop", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flute", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    candidates = trackers()
    f0, sound = glide(options.seconds)
    seconds_taken(candidates, in_noise(sound, 20), options.hop, options.rounds)
    for snr in (60, 20, 10, 0):
        for name, follow in candidates.items():
            print(f"{snr:3} dB  {name:12}", errors(follow, in_noise(sound, snr), f0, options.hop))
    if options.flute:
        flute(options.flute)


if __name__ == "__main__":
    main()
