"""The `static-curve` callback: what leaves the model over what enters it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run
    from fxkit.inspection.static_curve import Curve


@attrs.frozen(kw_only=True)
class StaticCurve(Triggers):
    """Measure the model's input/output curve and its hysteresis with slow sines.

    RUN/responses/static-curve.png and .csv have the newest state: one period at each level, rising and
    falling (they part where the model has a memory), and the curve of each node alone that bends and has
    none. The hysteresis, the widest gap over the height of the curve, goes to the journal and to
    TensorBoard. At the end the kept weights are measured. Models that play by themselves are refused.
    """

    every: int | None = opt(
        500, unit="steps", ge=0, help="measured at each validation whose step is a multiple"
    )
    levels: tuple[float, ...] = opt((-24.0, -12.0, 0.0), unit="dBFS", le=24, help="levels of the sines")
    frequency: float = opt(100.0, unit="Hz", ge=5, le=2000, help="of the sines, in the band of the device")
    knobs: tuple[float, ...] = opt(
        (), help="where the device's knobs stand, in its units; the middle when empty"
    )
    nodes: bool = opt(True, help="measure each node of a chain alone, too")

    def build(self, ctx: BuildContext) -> CurveMeter:
        """Build the callback."""
        return CurveMeter(self)


class CurveMeter:
    """Measure and draw the curves of one run."""

    def __init__(self, options: StaticCurve) -> None:
        self.options = options
        self.trigger = Trigger(options)

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse models without a response, knobs that there are not, and wrong triggers."""
        from fxkit_callbacks._probing import check_probing

        self.trigger.check(run)
        check_probing(run, "static-curve", self.options.knobs, self.options.levels)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Measure when it is due."""
        if self.trigger.due(run, step, evaluation):
            self._act(run, evaluation, "static-curve")

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Measure the weights that the run keeps."""
        self._act(run, evaluation, "static-curve.test")
        run.background.settle(self)

    def state_dict(self) -> dict[str, Any]:
        """Return what the trigger keeps."""
        return {"trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state["trigger"])

    def _act(self, run: Run, evaluation: Evaluation, name: str) -> None:
        from fxkit_callbacks._probing import responses, state_title

        curve = self._measure(run, evaluation)
        write = "fxkit.inspection.response_files:write_curve"
        run.background.call(self, write, responses(run), curve, state_title(run, evaluation))
        run.publish(name, run.step, curve.figures())

    def _measure(self, run: Run, evaluation: Evaluation) -> Curve:
        from fxkit.inspection.static_curve import static_curve
        from fxkit_callbacks._probing import knob_tensor, validated_weights

        options = self.options
        with validated_weights(run, evaluation):
            return static_curve(
                run.model,
                knobs=knob_tensor(run, options.knobs),
                levels=options.levels,
                frequency=options.frequency,
                nodes=options.nodes,
            )
