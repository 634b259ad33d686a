"""What an error in a callback does: end the run, be told once and counted, or silence the callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import attrs

from fxkit.errors import FxkitError, RunError

OnError = Literal["raise", "warn", "disable"]

# An error here must neither hide the error that ended the run nor keep other callbacks from closing.
_AT_THE_END = ("fx_exception", "fx_close")


class CallbackError(RunError):
    """Report an error in a callback whose `on_error` is "raise": callback, hook, step, cause."""

    def __init__(self, message: str, cause: Exception) -> None:
        super().__init__(message)
        self.exit_code = cause.exit_code if isinstance(cause, FxkitError) else RunError.exit_code


@attrs.define
class Failures:
    """Count the failures of one hook: how many, at which steps first and last, and the last one."""

    count: int = 0
    first: int | None = None
    last: int | None = None
    error: str = ""


@attrs.define(eq=False)
class Guard:
    """Wrap one callback so that an error in it does what its `on_error` says.

    `late` is an error that under "raise" came when the run had ended already.
    """

    name: str
    callback: Any
    on_error: OnError
    report: Callable[[str], None]
    disabled: bool = False
    late: CallbackError | None = None
    failures: dict[str, Failures] = attrs.field(factory=dict)
    _told: set[tuple[str, type]] = attrs.field(factory=set)

    @property
    def path(self) -> str:
        """Return the callback's place in the file."""
        return f"callbacks.{self.name}"

    def call(self, hook: str, step: int | None, method: Callable[..., Any], /, **arguments: Any) -> Any:
        """Call a method of the callback on behalf of a hook; returns None where it failed or is disabled.

        Raises `CallbackError` where that is what `on_error` says.
        """
        if self.disabled:
            return None
        try:
            return method(**arguments)
        except CallbackError:
            # Of another callback, which was called from this one and whose own answer is to end the run.
            raise
        except Exception as error:
            self._answer(hook, step, error)
            return None

    def _answer(self, hook: str, step: int | None, error: Exception) -> None:
        text = f"{self.path}: {hook}{_at(step)}: {described(error)}"
        if self.on_error == "raise":
            raised = CallbackError(text, error)
            raised.__cause__ = error
            if hook not in _AT_THE_END:
                raise raised
            self.late = self.late or raised
            return
        failed = self.failures.setdefault(hook, Failures(first=step))
        failed.count, failed.last, failed.error = failed.count + 1, step, described(error)
        self.disabled = self.on_error == "disable"
        kind = (hook, type(error))
        if kind not in self._told:
            self._told.add(kind)
            end = (
                "it is disabled for the rest of the run"
                if self.disabled
                else "further such errors are counted"
            )
            self.report(f"{text}; {end}")

    def totals(self) -> Iterator[str]:
        """Yield a line for each hook that failed more than once."""
        for hook, failed in self.failures.items():
            if failed.count > 1:
                steps = (
                    ""
                    if failed.first is None
                    else f", first at step {failed.first}, last at step {failed.last}"
                )
                yield f"{self.path}: {hook} failed {failed.count} times{steps}: {failed.error}"

    def counts(self) -> dict[str, Any]:
        """Return hook -> how often it failed and the last error, for the journal."""
        return {hook: attrs.asdict(failed) for hook, failed in self.failures.items()}


def described(error: Exception) -> str:
    """Write an error on one line; one that fxkit raises on purpose speaks for itself."""
    text = " ".join(str(error).split())
    if isinstance(error, FxkitError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _at(step: int | None) -> str:
    return "" if step is None else f" at step {step}"
