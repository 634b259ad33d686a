"""What holds for every callback: light to describe, no picture windows, errors stay its own."""

from __future__ import annotations

import subprocess
import sys

import attrs
import pytest

from fxkit import BuildContext
from fxkit.callbacks import Callbacks
from fxkit.spec import describe
from fxkit_callbacks.audio_samples import AudioSamples
from fxkit_callbacks.block_audio import BlockAudio
from fxkit_callbacks.checkpoint import Checkpoint
from fxkit_callbacks.early_stopping import EarlyStopping
from fxkit_callbacks.parameter_tracks import ParameterTracks
from fxkit_callbacks.tensorboard import TensorBoard
from fxkit_callbacks.training_plots import TrainingPlots

SPECS = (TensorBoard, AudioSamples, Checkpoint, EarlyStopping, BlockAudio, ParameterTracks, TrainingPlots)


def loaded_by(code):
    program = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_describing_callbacks_loads_no_heavy_library():
    code = "import fxkit_callbacks.tensorboard, fxkit_callbacks.audio_samples, fxkit_callbacks.checkpoint"
    code += "\nimport fxkit_callbacks.early_stopping, fxkit_callbacks.parameter_tracks"
    code += "\nimport fxkit_callbacks.block_audio, fxkit_callbacks.training_plots"
    assert not {"torch", "numpy", "matplotlib", "soundfile", "tensorboard"} & loaded_by(code)


def test_drawing_needs_no_display_and_no_global_figures():
    assert "matplotlib.pyplot" not in loaded_by(
        "import fxkit_callbacks._parameter_pictures, fxkit_callbacks._run_pictures"
    )


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_every_callback_can_be_built_with_its_defaults_and_says_what_it_is(spec):
    assert describe(spec).summary.endswith(".")
    built = spec().build(BuildContext())
    Callbacks(print).add_all({"one": (built, "raise")})


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_numbers_out_of_bounds_are_refused(spec):
    for option in describe(spec).options:
        if option.meta.bounds.ge is not None:
            with pytest.raises(ValueError, match=option.name):
                attrs.evolve(spec(), **{option.name: option.meta.bounds.ge - 1})


def test_a_failing_callback_can_be_disabled_while_the_others_go_on(make_run, make_evaluation):
    run = make_run()
    run.folder.audio.write_text("in the way")
    callbacks = Callbacks(run.report)
    callbacks.add_all(
        {
            "listen": (AudioSamples(every=1).build(BuildContext()), "disable"),
            "pictures": (TrainingPlots(every=1).build(BuildContext()), "raise"),
        }
    )
    for step in (1, 2):
        callbacks.hook.fx_validate_end(run=run, step=step, evaluation=make_evaluation(step=step))
    assert len(run.said) == 1
    assert run.said[0].startswith("callbacks.listen: ")
    assert run.said[0].endswith("it is disabled for the rest of the run")
    assert run.folder.plots.joinpath("comparison.png").exists()


def test_callbacks_act_in_file_order(make_run, make_evaluation, monkeypatch):
    acted = []
    monkeypatch.setattr("fxkit_callbacks._wave_file.write_wav", lambda *arguments: acted.append("listen"))
    monkeypatch.setattr(
        "fxkit_callbacks._run_pictures.draw_comparison", lambda *arguments: acted.append("pictures")
    )
    for names in (("listen", "pictures"), ("pictures", "listen")):
        acted.clear()
        made = {"listen": AudioSamples(every=1), "pictures": TrainingPlots(every=1)}
        callbacks = Callbacks(print)
        callbacks.add_all({name: (made[name].build(BuildContext()), "raise") for name in names})
        callbacks.hook.fx_validate_end(run=make_run(), step=1, evaluation=make_evaluation())
        assert list(dict.fromkeys(acted)) == list(names)
