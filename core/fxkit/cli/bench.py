"""`fxkit bench`: measure how fast a model streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from fxkit.inspection.stopwatch import Timing

EPILOG = """\b
Examples:
  fxkit bench runs/overdrive
  fxkit bench overdrive-graybox --block 64 --block 512 --seconds 10
  fxkit bench runs/overdrive --json
"""


@click.command("bench", epilog=EPILOG)
@click.argument("subject", metavar="EXPERIMENT|RUN")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change one value of the file.")
@click.option(
    "--block", "blocks", multiple=True, type=click.IntRange(min=1), default=(64, 128, 512),
    show_default="64, 128, 512", help="Samples per block; may be given several times.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), default=3.0, show_default=True,
    help="Audio to stream per block size.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True,
    help="Threads that torch may use; a host gives an audio callback one.",
)  # fmt: skip
@click.option(
    "--channels", type=click.IntRange(min=1), default=1, show_default=True,
    help="Channels of the recordings; a run knows its own.",
)  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help='Where to compute: "cpu", "cuda", "auto".')
@click.option("--allow-local", is_flag=True, help="Allow code named in [plugins.local].")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    subject: str,
    settings: tuple[str, ...],
    blocks: tuple[int, ...],
    seconds: float,
    threads: int,
    channels: int,
    device: str,
    allow_local: bool,
    as_json: bool,
) -> None:
    """Stream a test signal through an experiment's model, or a trained run's, and time every block.

    The real-time factor is seconds of audio per second of computing: above 1 it keeps up, and the
    slow blocks say whether it would do so without drop-outs.
    """
    import torch

    from fxkit.engine.setup import resolve_device
    from fxkit.inspection.stopwatch import measure
    from fxkit.inspection.subject import open_subject

    # The process is this command's own, and what it measures is named in the result.
    torch.set_num_threads(threads)
    chosen = resolve_device(device)
    opened = open_subject(
        subject, overrides=settings, channels=channels, device=chosen, allow_local=allow_local
    )
    timings = [measure(opened, block=block, seconds=seconds, device=chosen) for block in blocks]
    rate = opened.experiment.run.sample_rate
    if as_json:
        from fxkit.cli.output import write_json

        content = {"subject": subject, "stands": opened.stands, "sample_rate": rate, "threads": threads}
        write_json({**content, "device": chosen, "blocks": [attrs.asdict(one) for one in timings]})
        return
    click.echo(f"{subject}, {opened.stands}: {rate} Hz, {chosen}, {_counted(threads)}")
    click.echo(_table(timings))
    click.echo(_shares(timings[0]))


def _counted(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _table(timings: list[Timing]) -> str:
    from fxkit.cli.output import page_width, table

    rows = [
        (
            f"{one.block}",
            f"{one.block_ms:.3f} ms",
            f"{one.median_ms:.3f} ms",
            f"{one.slow_ms:.3f} ms",
            f"{one.real_time:.1f}x",
        )
        for one in timings
    ]
    heads = ("block", "lasts", "takes (median)", "takes (99 %)", "real time")
    return table(heads, rows, page_width())


def _shares(timing: Timing) -> str:
    """Write where the time of a block goes, the largest share first."""
    order = sorted(timing.nodes.items(), key=lambda entry: -entry[1])
    listed = ", ".join(f"{name} {share:.0%}" for name, share in order if share >= 0.005)
    return f"of a block of {timing.block}: {listed}"
