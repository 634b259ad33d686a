"""Files, parents, overrides and plugins become one checked experiment."""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

import attrs
import pytest

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_document, read_experiment
from fxkit.experiment.tables import CallbackKeys, NodeKeys, RunTable
from fxkit_registry import Entry

GOOD = """\
fxkit = 1
[data]
type = "virtual-device"
segment = 4096
[nodes.eq]
type = "parametric-eq"
bands = 2
controller = { type = "static", spread = 0.5, lr = 2 }
[nodes.amp]
type = "tcn"
channels = 8
[model]
chain = ["eq", "amp"]
[losses.esr]
type = "esr"
[train]
optimizer = { type = "adamw" }
"""


def problems(call: Any) -> str:
    """Return the text of the error that a call raises."""
    with pytest.raises(ExperimentError) as caught:
        call()
    return str(caught.value)


class TestParts:
    def test_a_part_holds_its_plugin_its_spec_and_the_kernels_keys(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        part = read("a.toml").nodes["eq"]
        assert (part.path, part.kind, part.plugin, part.version) == (
            "nodes.eq",
            "processors",
            "fxkit/parametric-eq",
            "0.1.0",
        )
        assert (part.spec.bands, part.spec.low) == (2, 20.0)
        assert isinstance(part.keys, NodeKeys)
        assert not part.keys.freeze

    def test_an_inline_controller_is_a_part_of_its_own(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        experiment = read("a.toml")
        controller = experiment.nodes["eq"].keys.controller
        assert (controller.path, controller.spec.spread, controller.keys.lr) == (
            "nodes.eq.controller",
            0.5,
            2.0,
        )
        assert controller in experiment.parts()

    def test_a_shared_controller_is_a_name(self, write: Any, read: Any) -> None:
        shared = GOOD.replace('{ type = "static", spread = 0.5, lr = 2 }', '"tone"')
        write(a=shared + '[controllers.tone]\ntype = "static"\n')
        experiment = read("a.toml")
        assert experiment.nodes["eq"].keys.controller == "tone"
        assert experiment.controllers["tone"].kind == "controllers"

    def test_a_plugin_inside_an_option_is_given_as_its_spec_and_counted(self, write: Any, read: Any) -> None:
        inner = '{ type = "wrapped", inner = { type = "tcn", channels = 3 } }'
        write(a=GOOD.replace('type = "tcn"\nchannels = 8', f'type = "wrapped"\ninner = {inner}'))
        experiment = read("a.toml")
        assert experiment.nodes["amp"].spec.inner.inner.channels == 3
        assert [part.path for part in experiment.parts() if part.path.startswith("nodes.amp")] == [
            "nodes.amp",
            "nodes.amp.inner",
            "nodes.amp.inner.inner",
        ]

    def test_a_list_of_plugins_inside_an_option_is_given_as_their_specs_in_order(
        self, write: Any, read: Any
    ) -> None:
        members = '[{ type = "tcn", channels = 3 }, { type = "wrapped", inner = { type = "gain" } }]'
        write(a=GOOD.replace('type = "tcn"\nchannels = 8', f'type = "rack"\nmembers = {members}'))
        experiment = read("a.toml")
        first, second = experiment.nodes["amp"].spec.members
        assert (first.channels, type(second.inner).__name__) == (3, "Gain")
        assert [part.path for part in experiment.parts() if part.path.startswith("nodes.amp.")] == [
            "nodes.amp.members[0]",
            "nodes.amp.members[1]",
            "nodes.amp.members[1].inner",
        ]

    def test_tables_in_double_brackets_are_such_a_list_too(self, write: Any, read: Any) -> None:
        lists = '[[nodes.amp.members]]\ntype = "tcn"\n[[nodes.amp.members]]\ntype = "gain"\n'
        write(a=GOOD.replace('type = "tcn"\nchannels = 8', 'type = "rack"') + lists)
        assert [type(one).__name__ for one in read("a.toml").nodes["amp"].spec.members] == ["TCN", "Gain"]

    def test_a_list_of_plugins_survives_being_written_out(
        self, write: Any, read: Any, catalog: Catalog
    ) -> None:
        members = '[{ type = "tcn", channels = 3 }, { type = "rack", members = [{ type = "gain" }] }]'
        write(a=GOOD.replace('type = "tcn"\nchannels = 8', f'type = "rack"\nmembers = {members}'))
        first = read("a.toml")
        again = read_document(first.resolved, "again.toml", catalog=catalog)
        assert again == first
        table = first.resolved["nodes"]["amp"]["members"][0]
        assert (table["type"], table["channels"], table["activation"]) == ("tcn", 3, "tanh")

    def test_tables_that_are_left_out_hold_their_defaults(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        experiment = read("a.toml")
        assert experiment.run == RunTable()
        assert experiment.schedule is None
        assert experiment.callbacks == {}

    def test_callbacks_stay_in_file_order_parents_first(self, write: Any, read: Any) -> None:
        board, listen = (
            '[callbacks.board]\ntype = "tensorboard"\n',
            '[callbacks.listen]\ntype = "audio-samples"\n',
        )
        write(base=GOOD + listen, a='fxkit = 1\nextends = ["base.toml"]\n' + board)
        assert list(read("a.toml").callbacks) == ["listen", "board"]
        assert read("a.toml").callbacks["board"].keys == CallbackKeys()

    def test_chains_nest(self, write: Any, read: Any) -> None:
        nodes = "".join(f'[nodes.{name}]\ntype = "gain"\n' for name in "abc")
        write(a=GOOD.replace('["eq", "amp"]', '["eq", ["a", ["b", "c"]], "amp"]') + nodes)
        assert read("a.toml").model.chain == ("eq", ("a", ("b", "c")), "amp")


class TestExtends:
    def test_parents_are_laid_left_to_right_depth_first_then_the_file_then_set(
        self, write: Any, read: Any
    ) -> None:
        write(
            grand=GOOD + "[run]\nseed = 1\nhop = 1\nname = 'grand'\nsample_rate = 8001\n",
            left="fxkit = 1\nextends = ['grand.toml']\n[run]\nseed = 2\nhop = 2\nname = 'left'\n",
            right="fxkit = 1\n[run]\nseed = 3\nhop = 3\n",
            a="fxkit = 1\nextends = ['left.toml', 'right.toml']\n[run]\nseed = 4\n",
        )
        run = read("a.toml").run
        assert (run.seed, run.hop, run.name, run.sample_rate) == (4, 3, "left", 8001)
        assert read("a.toml", "run.seed=5", "run.seed=6").run.seed == 6

    def test_parents_are_found_beside_the_file_that_names_them(self, write: Any, read: Any) -> None:
        write(
            sub__base=GOOD,
            sub__mid="fxkit = 1\nextends = ['base.toml']\n",
            a="fxkit = 1\nextends = ['sub/mid.toml']\n",
        )
        assert read("a.toml").nodes["amp"].spec.channels == 8

    def test_shipped_bases_are_found_from_anywhere(self, write: Any, read: Any, monkeypatch: Any) -> None:
        write(ships__base__b=GOOD, a="fxkit = 1\nextends = ['base/b.toml']\n")
        monkeypatch.setattr(
            "fxkit.experiment.shipped.shipped_folder", lambda: pathlib.Path("ships").absolute()
        )
        assert read("a.toml").nodes["amp"].spec.channels == 8

    def test_a_file_that_two_parents_extend_counts_once_and_before_both(self, write: Any, read: Any) -> None:
        write(
            grand=GOOD + "[run]\nseed = 1\nhop = 1\nname = 'grand'\n",
            left="fxkit = 1\nextends = ['grand.toml']\n[run]\nseed = 2\n",
            right="fxkit = 1\nextends = ['grand.toml']\n[run]\nhop = 3\n",
            a="fxkit = 1\nextends = ['left.toml', 'right.toml']\n",
        )
        run = read("a.toml").run
        assert (run.seed, run.hop, run.name) == (2, 3, "grand")

    def test_what_one_parent_removes_of_a_shared_one_stays_away(self, write: Any, read: Any) -> None:
        write(
            grand=GOOD + '[callbacks.listen]\ntype = "audio-samples"\n',
            left="fxkit = 1\nextends = ['grand.toml']\nremove = ['callbacks.listen']\n",
            right="fxkit = 1\nextends = ['grand.toml']\n",
            a="fxkit = 1\nextends = ['left.toml', 'right.toml']\n",
            b="fxkit = 1\nextends = ['right.toml', 'left.toml']\n",
        )
        assert read("a.toml").callbacks == read("b.toml").callbacks == {}

    def test_parents_may_have_names_by_which_they_are_exchanged(self, write: Any, read: Any) -> None:
        write(
            good=GOOD,
            sub__small='fxkit = 1\n[nodes.amp]\ntype = "tcn"\nchannels = 2\n',
            sub__large='fxkit = 1\n[nodes.amp]\ntype = "tcn"\nchannels = 32\n',
            a='fxkit = 1\nextends = { task = "good.toml", model = "sub/small.toml" }\n',
        )
        assert read("a.toml").nodes["amp"].spec.channels == 2
        experiment = read("a.toml", "extends.model=sub/large.toml", "run.seed=3")
        assert experiment.nodes["amp"].spec.channels == 32
        assert str(experiment.origins["nodes.amp.channels"]) == "sub/large.toml:4:12 (via --set #1)"

    def test_parents_can_be_exchanged_as_a_whole(self, write: Any, read: Any) -> None:
        write(
            good=GOOD,
            other=GOOD.replace("channels = 8", "channels = 9"),
            a="fxkit = 1\nextends = 'good.toml'\n",
        )
        assert read("a.toml").nodes["amp"].spec.channels == 8
        for setting in ("extends=other.toml", "extends=['other.toml']", "extends='other.toml'"):
            assert read("a.toml", setting).nodes["amp"].spec.channels == 9

    def test_remove_takes_out_of_parents_what_the_file_may_then_write_anew(
        self, write: Any, read: Any
    ) -> None:
        write(
            base=GOOD + '[callbacks.listen]\ntype = "audio-samples"\nevery = 3\n',
            a="fxkit = 1\nextends = ['base.toml']\nremove = ['nodes.amp', 'callbacks.listen']\n"
            '[nodes.amp]\ntype = "tcn"\n',
        )
        experiment = read("a.toml")
        assert experiment.nodes["amp"].spec.channels == 16
        assert experiment.callbacks == {}

    def test_origins_say_file_line_column_and_the_way_there(self, write: Any, read: Any) -> None:
        write(
            grand=GOOD,
            mid="fxkit = 1\nextends = ['grand.toml']\n",
            a="fxkit = 1\n\nextends = [\n'mid.toml']\n",
        )
        origins = read("a.toml", "run.seed=3").origins
        assert str(origins["nodes.amp.channels"]) == "grand.toml:11:12 (via mid.toml:2, a.toml:4)"
        assert str(origins["run.seed"]) == "--set #1"

    def test_a_path_is_relative_to_the_file_that_wrote_it(
        self, write: Any, read: Any, tmp_path: pathlib.Path
    ) -> None:
        data = GOOD.replace('type = "virtual-device"', 'type = "paired-audio"\nroot = "../takes"')
        write(sub__base=data, a="fxkit = 1\nextends = ['sub/base.toml']\n")
        assert read("a.toml").data.spec.root == tmp_path / "sub" / ".." / "takes"
        assert read("a.toml", "data.root=here").data.spec.root == tmp_path / "here"
        assert read("a.toml", "data.root=/abs").data.spec.root == pathlib.Path("/abs")


class TestSet:
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("nodes.amp.channels=3", 3),
            (" nodes . amp . channels = 3 ", 3),
            ("\"nodes\".amp.'channels'=0x10", 16),
        ],
    )
    def test_a_path_is_a_toml_key_and_a_value_toml(
        self, write: Any, read: Any, setting: str, value: int
    ) -> None:
        write(a=GOOD)
        assert read("a.toml", setting).nodes["amp"].spec.channels == value

    def test_a_defaulted_key_that_no_file_has_can_be_set(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        assert read("a.toml", "train.schedule.type=cosine").schedule.plugin == "fxkit/cosine"
        assert read("a.toml", "callbacks.x={type='tensorboard'}").callbacks["x"].path == "callbacks.x"

    def test_text_needs_no_quotes_and_may_hold_anything(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        assert read("a.toml", "run.name=two words = # more").run.name == "two words = # more"
        assert read("a.toml", 'run.name="7"').run.name == "7"
        assert read("a.toml", "run.name=a\nseed = 3").run.name == "a\nseed = 3"

    def test_lists_and_tables_replace_and_merge_as_in_files(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        assert read("a.toml", "nodes.amp.dilations=[5]").nodes["amp"].spec.dilations == (5,)
        amp = read("a.toml", "nodes.amp={invert=true}").nodes["amp"].spec
        assert (amp.invert, amp.channels) == (True, 8)
        assert read("a.toml", "nodes.amp.type=gain").nodes["amp"].plugin == "fxkit/gain"


class TestPlugins:
    def test_a_qualified_name_resolves_a_clash(self, write: Any, read: Any) -> None:
        write(a=GOOD.replace('"tcn"', '"acme-fx/lstm"'))
        part = read("a.toml").nodes["amp"]
        assert (part.plugin, part.version, part.name) == ("acme-fx/lstm", "1.2.0", "acme-fx/lstm")

    def test_disabling_one_side_of_a_clash_resolves_it(self, write: Any, read: Any) -> None:
        write(a=GOOD.replace('"tcn"', '"lstm"') + '[plugins]\ndisable = ["acme-fx"]\n')
        assert read("a.toml").nodes["amp"].plugin == "fxkit/lstm"

    def test_a_disabled_plugin_is_not_imported(
        self, write: Any, catalog: Catalog, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "trap_module.py").write_text("raise SystemExit('imported')")
        monkeypatch.syspath_prepend(tmp_path)
        entry = Entry("losses", "trap", "trap-dist", "1", "trap_module:Trap")
        trapped = attrs.evolve(catalog, registry=_with(catalog, entry))
        write(
            a=GOOD.replace('"esr"', '"trap"') + '[plugins]\ndisable = ["loss:trap"]\n',
            b=GOOD.replace('"esr"', '"trap"'),
        )
        text = problems(lambda: read_experiment("a.toml", catalog=trapped))
        assert 'loss "trap" of trap-dist 1 is disabled by [plugins] disable' in text
        assert "SystemExit: imported" in problems(lambda: read_experiment("b.toml", catalog=trapped))

    def test_requirements_that_are_met_pass(self, write: Any, read: Any) -> None:
        write(a=GOOD + '[plugins]\nrequire = ["attrs>=20", "fxkit"]\n')
        assert read("a.toml").plugins.require == ("attrs>=20", "fxkit")

    def test_a_version_that_is_too_old_is_told_with_the_one_there_is(self, write: Any, read: Any) -> None:
        write(a=GOOD + '[plugins]\nrequire = ["attrs>=999"]\n')
        text = problems(lambda: read("a.toml"))
        assert text.startswith("a.toml:19:12  plugins.require[0]: attrs ")
        assert text.endswith('is installed, >=999 is required; pip install "attrs>=999"')

    def test_unused_broken_plugins_do_no_harm(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        read("a.toml")


def _with(catalog: Catalog, entry: Entry) -> Any:
    import dataclasses

    return dataclasses.replace(catalog.registry, entries=(*catalog.registry.entries, entry))


GRIT = '''
from __future__ import annotations
import attrs
from golden_specs import Gain
from fxkit.spec import opt
@attrs.frozen(kw_only=True)
class Grit(Gain):
    """Be gritty."""
    drive: Level = opt(1.0, ge=0, help="drive")
Level = float
'''


class TestLocalPlugins:
    @pytest.fixture
    def local(self, write: Any, tmp_path: pathlib.Path) -> pathlib.Path:
        (tmp_path / "code").mkdir()
        path = tmp_path / "code" / "grit.py"
        path.write_text(GRIT)
        text = GOOD.replace('"tcn"\nchannels = 8', '"grit"\ndrive = 3')
        write(code__a=text + '[plugins.local]\n"processors:grit" = "grit.py:Grit"\n')
        return path

    def test_code_runs_only_when_it_is_allowed(self, local: pathlib.Path, read: Any) -> None:
        assert "add --allow-local" in problems(lambda: read("code/a.toml"))
        part = read("code/a.toml", allow_local=True).nodes["amp"]
        assert (part.plugin, part.name, part.spec.drive) == ("local/grit", "grit", 3.0)

    def test_its_content_is_hashed(self, local: pathlib.Path, read: Any) -> None:
        experiment = read("code/a.toml", allow_local=True)
        assert experiment.nodes["amp"].digest == hashlib.sha256(local.read_bytes()).hexdigest()
        assert experiment.nodes["eq"].digest == ""

    def test_a_changed_file_is_read_anew(self, local: pathlib.Path, read: Any) -> None:
        before = read("code/a.toml", allow_local=True).nodes["amp"].digest
        local.write_text(GRIT.replace("ge=0", "ge=4"))
        assert "below the minimum 4" in problems(lambda: read("code/a.toml", allow_local=True))
        local.write_text(GRIT + "\n")
        assert read("code/a.toml", allow_local=True).nodes["amp"].digest != before

    def test_its_options_are_checked_like_any_others(self, local: pathlib.Path, read: Any) -> None:
        text = problems(lambda: read("code/a.toml", "nodes.amp.drve=1", allow_local=True))
        assert 'unknown option of processor "grit"; did you mean "drive"?' in text

    def test_the_resolved_document_points_to_the_same_file(
        self, local: pathlib.Path, read: Any, catalog: Catalog
    ) -> None:
        first = read("code/a.toml", allow_local=True)
        assert first.resolved["plugins"]["local"] == {"processors:grit": f"{local}:Grit"}
        again = read_document(first.resolved, "elsewhere/resolved.toml", catalog=catalog, allow_local=True)
        assert again == first

    def test_what_only_a_file_can_hold_is_not_set(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        text = problems(lambda: read("a.toml", "remove=['losses.esr']"))
        assert text == "--set #1  remove: only a file can hold this"

    def test_problems_of_many_settings_keep_their_order(self, write: Any, read: Any) -> None:
        write(a=GOOD)
        text = problems(lambda: read("a.toml", *["train.steps=0"] * 9, "run.hop=0", "train.steps=-1"))
        assert [line.split("  ")[0] for line in text.splitlines()] == ["--set #10", "--set #11"]
        text = problems(lambda: read("a.toml", "run.hop=0", *["run.seed=0"] * 8, "train.steps=0"))
        assert [line.split("  ")[0] for line in text.splitlines()] == ["--set #1", "--set #10"]
        text = problems(lambda: read("a.toml", "a", "b", *["run.seed=0"] * 8, "c"))
        assert [line.split("  ")[0] for line in text.splitlines()] == ["--set #1", "--set #2", "--set #11"]


class TestSource:
    def test_a_shipped_experiment_needs_no_path(self, write: Any, read: Any, monkeypatch: Any) -> None:
        write(ships__tiny=GOOD, ships__other=GOOD)
        monkeypatch.setattr(
            "fxkit.experiment.shipped.shipped_folder", lambda: pathlib.Path("ships").absolute()
        )
        assert read("tiny").file == "ships/tiny.toml"
        text = problems(lambda: read("tinny"))
        assert text == (
            "tinny  no such file, and no experiment of that name ships with fxkit (other, tiny)"
            '; did you mean "tiny"?'
        )

    def test_a_file_wins_over_a_shipped_name(self, write: Any, read: Any, monkeypatch: Any) -> None:
        write(ships__tiny=GOOD)
        pathlib.Path("tiny").write_text(GOOD.replace("channels = 8", "channels = 9"))
        monkeypatch.setattr(
            "fxkit.experiment.shipped.shipped_folder", lambda: pathlib.Path("ships").absolute()
        )
        assert read("tiny").nodes["amp"].spec.channels == 9

    def test_a_misspelt_file_is_suggested(self, write: Any, read: Any) -> None:
        write(sub__pedal=GOOD)
        assert problems(lambda: read("sub/pedl.toml")).endswith('did you mean "sub/pedal.toml"?')

    def test_a_folder_of_a_shipped_name_is_no_obstacle(self, write: Any, read: Any, monkeypatch: Any) -> None:
        write(ships__tiny=GOOD, tiny__other=GOOD)
        monkeypatch.setattr(
            "fxkit.experiment.shipped.shipped_folder", lambda: pathlib.Path("ships").absolute()
        )
        assert read("tiny").file == "ships/tiny.toml"

    def test_a_folder_is_no_experiment(self, write: Any, read: Any) -> None:
        write(sub__pedal=GOOD)
        assert problems(lambda: read("sub")) == "sub  is a folder; name the .toml file in it"

    def test_a_document_is_read_like_a_file(self, write: Any, read: Any, catalog: Catalog) -> None:
        write(a=GOOD)
        first = read("a.toml")
        assert read_document(first.resolved, "runs/x/resolved.toml", catalog=catalog) == first
        broken = {**first.resolved, "runn": {}, "fxkit": 1}
        text = problems(lambda: read_document(broken, "runs/x/resolved.toml", catalog=catalog))
        assert text == 'runs/x/resolved.toml  runn: unknown table; did you mean "run"?'
