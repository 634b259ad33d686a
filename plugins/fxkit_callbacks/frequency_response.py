"""The `frequency-response` callback: gain, phase and harmonics of what the model has become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run
    from fxkit.inspection.recorded import RecordedMeter
    from fxkit.inspection.response import Response, ResponseMeter

_FILES = "fxkit.inspection.response_files:"


@attrs.frozen(kw_only=True)
class FrequencyResponse(Triggers):
    """Measure the model's frequency response, from 20 Hz to the Nyquist frequency.

    A faint impulse gives gain, phase and group delay; swept sines give the gain and harmonics H2 to H5 at
    each level. Pictures and data of the newest state are in RUN/responses: frequency-response.png and .csv,
    frequency-response-nodes.png with each node of a chain, alone and as far as the chain has come, and
    frequency-response-steps.png and .csv with how the gain moved. The gain of the device itself, as far as a
    recording of the evaluation tells it, is drawn beside. Gain at 1 kHz, the limits of the band and the
    distortion at 1 kHz go to the journal and to TensorBoard. At the end the kept weights are measured.
    Models that play by themselves are refused.
    """

    every: int | None = opt(
        500, unit="steps", ge=0, help="measured at each validation whose step is a multiple"
    )
    levels: tuple[float, ...] = opt((-36.0, -18.0, -6.0), unit="dBFS", le=24, help="levels of the sweeps")
    seconds: float = opt(
        1.0, unit="s", ge=0.5, le=20, help="length of a sweep; low harmonics need longer ones"
    )
    knobs: tuple[float, ...] = opt(
        (), help="where the device's knobs stand, in its units; the middle when empty"
    )
    nodes: bool = opt(True, help="measure each node of a chain, too")

    def build(self, ctx: BuildContext) -> ResponseWatcher:
        """Build the callback."""
        return ResponseWatcher(self)


class ResponseWatcher:
    """Measure, draw and remember the responses of one run."""

    def __init__(self, options: FrequencyResponse) -> None:
        self.options = options
        self.trigger = Trigger(options)
        self.gains: dict[int, torch.Tensor] = {}
        self.said: tuple[str, ...] = ()
        self._meter: ResponseMeter | None = None
        self._recorded: RecordedMeter | None = None

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse models without a response, knobs that there are not, and wrong triggers."""
        from fxkit_callbacks._probing import check_probing

        self.trigger.check(run)
        check_probing(run, "frequency-response", self.options.knobs, self.options.levels)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Measure when it is due."""
        if self.trigger.due(run, step, evaluation):
            self._act(run, evaluation, "frequency-response")

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Measure the weights that the run keeps."""
        self._act(run, evaluation, "frequency-response.test")
        run.background.settle(self)

    def state_dict(self) -> dict[str, Any]:
        """Return the gains so far, and what the trigger keeps."""
        return {"gains": dict(self.gains), "said": list(self.said), "trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.gains = {step: gain.cpu() for step, gain in state["gains"].items()}
        self.said = tuple(state["said"])
        self.trigger.load_state_dict(state["trigger"])

    def _act(self, run: Run, evaluation: Evaluation, name: str) -> None:
        from fxkit.inspection.recorded import RecordedMeter
        from fxkit_callbacks._probing import responses, state_title

        response = self._measure(run, evaluation)
        self._recorded = self._recorded or RecordedMeter(response.frequencies, evaluation.sample_rate)
        recorded = self._recorded.response(evaluation)
        folder = responses(run)
        title = state_title(run, evaluation)
        run.background.call(self, f"{_FILES}write_response", folder, response, recorded, title)
        if evaluation.split != "test":
            self._remember(evaluation.step, response)
        if len(self.gains) > 1:
            gains = {step: gain.double().numpy() for step, gain in self.gains.items()}
            name_of_run, frequencies = run.experiment.run.name, response.frequencies
            write = f"{_FILES}write_movement"
            run.background.call(self, write, folder, frequencies, gains, recorded, name_of_run)
        run.publish(name, run.step, response.figures())
        self._say(run, response)

    def _measure(self, run: Run, evaluation: Evaluation) -> Response:
        from fxkit.inspection.response import ResponseMeter
        from fxkit_callbacks._probing import knob_tensor, validated_weights

        options = self.options
        self._meter = self._meter or ResponseMeter(run.sample_rate, options.levels, options.seconds)
        nodes = options.nodes and len(run.model.plan.nodes) > 1
        with validated_weights(run, evaluation):
            return self._meter.measure(run.model, knob_tensor(run, options.knobs), nodes=nodes)

    def _remember(self, step: int, response: Response) -> None:
        import torch

        self.gains[step] = torch.from_numpy(response.whole.small.magnitude_db).float()

    def _say(self, run: Run, response: Response) -> None:
        """Report each note once."""
        kinds = {note.partition(":")[0]: note for note in response.notes}
        for kind, note in kinds.items():
            if kind not in self.said:
                self.said = (*self.said, kind)
                run.report(f"frequency-response: {note}")
