"""What an error in a callback does to the run and to the other callbacks, hook by hook."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fxkit import DataError, RunError, hookimpl
from fxkit.callback_guard import CallbackError
from fxkit.callbacks import Callbacks
from fxkit.hooks import Hooks, hook_arguments, hook_names

UNLUCKY = ValueError("no\nluck")
AT_THE_END = ("fx_exception", "fx_close")


class Journal(list):
    """Remember records."""

    def write(self, kind, step, values):
        self.append((kind, step, values))


def fails_in(hook, error=UNLUCKY):
    def fail(self):
        raise error

    return type("Fails", (), {hook: hookimpl(fail)})()


def answers_in(hook, calls, name="good"):
    def answer(self):
        calls.append(name)

    return type("Answers", (), {hook: hookimpl(answer)})()


def made(hook, policy, *, calls, error=UNLUCKY):
    said = []
    callbacks = Callbacks(said.append)
    callbacks.add_all(
        {
            "bad": (fails_in(hook, error), policy),
            "good": (answers_in(hook, calls), "raise"),
        }
    )
    return callbacks, said


def called(callbacks, hook, step=7):
    run = SimpleNamespace(step=step, journal=Journal(), report=print)
    values = {name: run if name == "run" else None for name in hook_arguments(hook)}
    return getattr(callbacks.hook, hook)(**{**values, **({"step": step} if "step" in values else {})})


@pytest.mark.parametrize("hook", hook_names())
def test_warn_names_callback_hook_step_and_error_once_and_goes_on(hook):
    calls = []
    callbacks, said = made(hook, "warn", calls=calls)
    for step in (7, 8, 9):
        called(callbacks, hook, step)
    expected = f"callbacks.bad: {hook} at step 7: ValueError: no luck; further such errors are counted"
    assert said == [expected]
    assert calls == ["good"] * 3


@pytest.mark.parametrize("hook", hook_names())
def test_disable_leaves_the_callback_out_from_then_on(hook):
    calls = []
    callbacks, said = made(hook, "disable", calls=calls)
    for step in (7, 8):
        called(callbacks, hook, step)
    expected = f"callbacks.bad: {hook} at step 7: ValueError: no luck; it is disabled for the rest of the run"
    assert said == [expected]
    assert calls == ["good"] * 2


@pytest.mark.parametrize("hook", [name for name in hook_names() if name not in AT_THE_END])
def test_raise_ends_the_run_with_one_line_and_keeps_the_cause(hook):
    callbacks, _ = made(hook, "raise", calls=[])
    with pytest.raises(RunError, match=r"^callbacks.bad: .* at step 7: ValueError: no luck$") as caught:
        called(callbacks, hook)
    assert hook in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("hook", AT_THE_END)
def test_an_error_when_the_run_has_ended_keeps_nobody_from_closing(hook):
    calls = []
    callbacks, said = made(hook, "raise", calls=calls)
    called(callbacks, hook)
    assert calls == ["good"]
    assert [str(error) for error in callbacks.late_errors] == [
        f"callbacks.bad: {hook} at step 7: ValueError: no luck"
    ]
    assert said == []


def test_the_total_is_told_and_written_at_the_end():
    callbacks, said = made("fx_step_end", "warn", calls=[])
    for step in (3, 4, 9):
        called(callbacks, "fx_step_end", step)
    run = SimpleNamespace(step=9, journal=Journal(), report=said.append)
    callbacks.close(run)
    text = "fx_step_end failed 3 times, first at step 3, last at step 9: ValueError: no luck"
    assert said[-1] == f"callbacks.bad: {text}"
    failed = {"count": 3, "first": 3, "last": 9, "error": "ValueError: no luck"}
    assert run.journal == [("callback-errors", 9, {"bad": {"fx_step_end": failed}})]


def test_another_kind_of_error_is_told_too():
    calls, errors = [], iter([ValueError("a"), ValueError("b"), KeyError("c")])

    class Fails:
        @hookimpl
        def fx_step_end(self):
            raise next(errors)

    callbacks = Callbacks(calls.append)
    callbacks.add_all({"bad": (Fails(), "warn")})
    for step in (1, 2, 3):
        called(callbacks, "fx_step_end", step)
    assert [text.split("; ")[0] for text in calls] == [
        "callbacks.bad: fx_step_end at step 1: ValueError: a",
        "callbacks.bad: fx_step_end at step 3: KeyError: 'c'",
    ]


def test_an_error_meant_for_people_speaks_for_itself_and_keeps_its_exit_code():
    callbacks, _ = made("fx_run_start", "raise", calls=[], error=DataError(["a.wav: empty", "b.wav: empty"]))
    with pytest.raises(CallbackError) as caught:
        called(callbacks, "fx_run_start", 0)
    assert str(caught.value) == "callbacks.bad: fx_run_start at step 0: a.wav: empty b.wav: empty"
    assert caught.value.exit_code == DataError.exit_code


def test_one_that_must_raise_does_so_from_within_one_that_may_fail():
    callbacks = Callbacks(print)

    class Publishes:
        @hookimpl
        def fx_step_end(self, run, step):
            callbacks.hook.fx_figures(run=run, step=step, name="n", values={})

    callbacks.add_all({"outer": (Publishes(), "warn"), "inner": (fails_in("fx_figures"), "raise")})
    with pytest.raises(CallbackError, match=r"callbacks.inner: fx_figures at step 2"):
        called(callbacks, "fx_step_end", 2)


@pytest.mark.parametrize("method", ["state_dict", "load_state_dict"])
def test_a_state_that_fails_answers_by_on_error(method):
    def fail(self, state=None):
        raise ValueError("bad state")

    for policy in ("warn", "raise"):
        said = []
        bad = type("Bad", (), {"state_dict": lambda self: {"a": 1}, method: fail})()
        callbacks = Callbacks(said.append)
        callbacks.add_all({"bad": (bad, policy), "good": (SimpleNamespace(state_dict=dict), "raise")})
        action = {
            "state_dict": callbacks.state_dict,
            "load_state_dict": lambda c=callbacks: c.load_state_dict({"bad": {"a": 1}}),
        }[method]
        if policy == "raise":
            with pytest.raises(RunError, match=f"callbacks.bad: {method}: ValueError: bad state"):
                action()
        else:
            assert action() in (None, {"bad": {}, "good": {}})
            assert said[0].startswith(f"callbacks.bad: {method}: ValueError: bad state")


def add(callback):
    Callbacks(print).add_all({"mine": (callback, "raise")})


@pytest.mark.parametrize(
    ("name", "method", "expected"),
    [
        ("fx_step_ends", hookimpl(lambda self: None), "fx_step_ends is no hook; did you mean fx_step_end"),
        (
            "fx_step_end",
            hookimpl(lambda self, losss: None),
            "fx_step_end has no argument losss; it may take run, step, losses",
        ),
        ("fx_step_end", lambda self: None, "not marked @fxkit.hookimpl, so it would never be called"),
        ("fx_close", hookimpl(tryfirst=True)(lambda self: None), "are called in the order of the file"),
        ("fx_close", hookimpl(wrapper=True)(lambda self: None), "are called in the order of the file"),
    ],
)
def test_a_hook_that_is_none_is_refused_by_path(name, method, expected):
    with pytest.raises(RunError, match=r"callbacks.mine: ") as caught:
        add(type("Wrong", (), {name: method})())
    assert expected in str(caught.value)


@pytest.mark.parametrize("hook", hook_names())
def test_a_callback_gets_the_arguments_that_it_asks_for_in_any_order(hook):
    wanted = tuple(reversed(hook_arguments(hook)))
    got = []
    scope = {"hookimpl": hookimpl, "got": got}
    exec(f"@hookimpl\ndef method(self, {', '.join(wanted)}):\n    got.append(({', '.join(wanted)},))", scope)
    callbacks = Callbacks(print)
    callbacks.add_all({"mine": (type("Mine", (), {hook: scope["method"]})(), "raise")})
    values = {name: SimpleNamespace(step=1) if name == "run" else name for name in hook_arguments(hook)}
    getattr(callbacks.hook, hook)(**values)
    assert got == [tuple(values[name] for name in wanted)]


@pytest.mark.parametrize("hook", [name for name in hook_names() if "run" in hook_arguments(name)])
def test_callbacks_are_called_in_the_order_of_the_file(hook):
    calls = []
    for names in (["a", "b", "c"], ["c", "a", "b"]):
        calls.clear()
        callbacks = Callbacks(print)
        callbacks.add_all({name: (answers_in(hook, calls, name), "raise") for name in names})
        called(callbacks, hook)
        assert calls == names


def test_every_hook_is_offered_the_run():
    assert all("run" in hook_arguments(name) for name in hook_names())
    assert hook_arguments("fx_step_end") == ("run", "step", "losses")
    assert callable(Hooks.fx_close)
