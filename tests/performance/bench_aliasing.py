"""Measure how far the aliases of each nonlinearity lie below its harmonics, with and without oversampling.

    python tests/performance/bench_aliasing.py [--write docs/howto]

A sine of 4999.5 Hz at full scale (bin 3413 of 32768 at 48 kHz) is driven into each. The bin is odd and the
length a power of two, so no alias falls on a harmonic: what lies on bins 1 to 4 times 3413 is signal, the
rest, up to 20 kHz, is aliases. Above 20 kHz the oversampling filters let fade what is there. All in
float64. `--write` puts the table and the picture of the documentation into a folder.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import torch

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit_dsp.oversample import Oversample

RATE, LENGTH, BIN = 48000, 32768, 3413
HEARD = 20000 * LENGTH // RATE
FACTORS: tuple[Literal[2, 4, 8], ...] = (2, 4, 8)
COLUMNS = ("plain", "antialias", "2x", "4x", "8x", "4x, antialias")


@attrs.frozen(kw_only=True)
class Case:
    """Say what to measure: a plugin's options, its parameters and how loud the sine is.

    `drive` in dB goes to the plugin's drive, or where there is none to the sine. An amplifier with a gain
    of 36 dB of its own gets the 0.1 V of a guitar.
    """

    options: Mapping[str, Any] = attrs.field(factory=dict)
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    drive: float = 12.0


CASES = {
    "tanh": Case(),
    "hard-clip": Case(),
    "cubic": Case(),
    "exponential": Case(),
    "asymmetric": Case(),
    "wavefolder": Case(),
    "wavefolder, triangle": Case(options={"shape": "triangle"}),
    "chebyshev": Case(settings={"harmonics": (1.0, 0.5, 0.5, 0.25, 0.25, 0.25)}, drive=0.0),
    "rational": Case(),
    "diode-clipper": Case(),
    "op-amp-overdrive": Case(drive=-20.0),
}


@attrs.frozen
class Measured:
    """Hold one measurement: aliases over harmonics in dB, and the level in dB at each bin."""

    ratio: float
    spectrum: torch.Tensor


def measure(spec: Any, case: Case) -> Measured:
    """Drive the sine through what a spec builds; the first two of three periods let it settle."""
    ctx = BuildContext(sample_rate=RATE)
    declared = spec.parameters(ctx)
    values = {parameter.name: parameter.defaults for parameter in declared} | dict(case.settings)
    driven = "drive_db" in values
    values |= {"drive_db": (case.drive,)} if driven else {}
    params = {name: torch.tensor(value, dtype=torch.float64)[None, :, None] for name, value in values.items()}
    amplitude = 1.0 if driven else 10 ** (case.drive / 20)
    turns = BIN * torch.arange(3 * LENGTH, dtype=torch.float64) / LENGTH
    sine = amplitude * torch.sin(2 * math.pi * turns)[None, None]
    module = spec.build(ctx).double()
    with torch.no_grad():
        out = module(sine, params, None)[0][0, 0, -LENGTH:]
    power = torch.fft.rfft(out).abs().square()
    harmonics = torch.arange(BIN, HEARD, BIN)
    signal = power[harmonics].sum()
    aliases = power[1:HEARD].sum() - signal
    ratio = 10 * math.log10(aliases / signal + 1e-20)
    return Measured(ratio, 10 * torch.log10(power / power.max() + 1e-20))


def variants(catalog: Catalog, name: str, case: Case) -> dict[str, Any]:
    """Return the specs to compare by the name of their column."""
    plugin = name.partition(",")[0]
    (entry,) = (e for e in catalog.entries if e.kind == "processors" and e.name == plugin)
    plain = catalog.spec(entry)(**case.options)
    found = {"plain": plain}
    if "antialias" in attrs.fields_dict(type(plain)):
        found["antialias"] = attrs.evolve(plain, antialias=True)
        found["4x, antialias"] = Oversample(factor=4, processor=found["antialias"])
    return found | {f"{factor}x": Oversample(factor=factor, processor=plain) for factor in FACTORS}


def table(found: Mapping[str, Mapping[str, Measured]]) -> str:
    """Write the ratios as a Markdown table, and by how much 4x lowers them."""
    headers = ("Nonlinearity", "drive, dB", *COLUMNS, "lowered by 4x", "with antialias")
    rows = [headers, ("---", *["---:"] * (len(headers) - 1))]
    for name, measured in found.items():
        ratios = [f"{measured[column].ratio:.1f}" if column in measured else "-" for column in COLUMNS]
        best = [measured[column].ratio for column in ("4x", "4x, antialias") if column in measured]
        lowered = [f"{measured['plain'].ratio - ratio:.1f}" for ratio in best]
        rows.append((name, f"{CASES[name].drive:g}", *ratios, *lowered, *["-"] * (2 - len(lowered))))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def picture(found: Mapping[str, Mapping[str, Measured]], path: Path, name: str = "tanh") -> None:
    """Draw the spectra of one nonlinearity, plain and oversampled, and the ratios of all."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "fxkit"
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2), layout="constrained")
    hertz = torch.arange(LENGTH // 2 + 1) * RATE / LENGTH / 1000
    for column, colour in (("plain", "#c0504d"), ("4x", "#1f6fb4")):
        left.plot(hertz, found[name][column].spectrum, color=colour, lw=0.8, label=column)
    left.set(xlim=(0, 24), ylim=(-160, 5), xlabel="kHz", ylabel="dB", title=f"{name}, 5 kHz driven by 12 dB")
    left.legend(loc="upper right")
    names = list(found)[::-1]
    styles = {
        "plain": ("#c0504d", "o"),
        "antialias": ("#e0a030", "D"),
        "4x": ("#1f6fb4", "s"),
        "4x, antialias": ("#2e8b57", "^"),
    }
    for column, (colour, mark) in styles.items():
        places = [(found[n][column].ratio, row) for row, n in enumerate(names) if column in found[n]]
        right.plot(*zip(*places, strict=True), mark, color=colour, label=column)
    right.set(xlabel="aliases over harmonics, dB", yticks=range(len(names)), yticklabels=names)
    right.set_axisbelow(True)
    right.grid(axis="x", lw=0.4)
    beside = {"bbox_to_anchor": (0.35, 1.0), "ncols": 4, "columnspacing": 1, "handletextpad": 0.2}
    right.legend(loc="lower center", frameon=False, **beside)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print the table; write it and the picture where they are wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="folder for aliasing-table.txt and aliasing.svg")
    folder = parser.parse_args().write
    catalog = Catalog.installed(in_tree_only=True)
    found = {
        name: {column: measure(spec, case) for column, spec in variants(catalog, name, case).items()}
        for name, case in CASES.items()
    }
    print(table(found), end="")
    if folder:
        (folder / "aliasing-table.txt").write_text(table(found), encoding="utf-8")
        picture(found, folder / "aliasing.svg")


if __name__ == "__main__":
    main()
