"""Say in a comment what an option is."""

from __future__ import annotations

import textwrap
from typing import Literal

from fxkit.config.entries import Entry
from fxkit.config.writing import toml_key, toml_value
from fxkit.experiment.wording import a_table_of, hint_text, range_text
from fxkit.spec import Option

Comments = Literal["trailing", "above", "none"]
COLUMN = 31
_WIDTH = 98


def remark(option: Option) -> str:
    """Return an option's help, with its unit and range."""
    meta = option.meta
    facts = range_text(meta) or meta.unit
    return f"{meta.help} ({facts})" if facts else meta.help


def lines(key: str, value: str, text: str, comments: Comments) -> str:
    """Write one value, with a comment where there is one."""
    pair = f"{key} = {value}"
    if not text or comments == "none":
        return pair
    if comments == "trailing":
        return f"{pair.ljust(COLUMN - 1)} # {text}"
    return "\n".join([*(f"# {line}" for line in textwrap.wrap(text, _WIDTH)), pair])


def absent(prefix: tuple[str, ...], entry: Entry) -> str:
    """Write a comment for an option that is left out and has no default."""
    option = entry.option
    if option is None:
        return ""
    shape = a_table_of(option.meta.kind) if option.meta.kind else hint_text(option.type)
    pair = f"# {toml_key(*prefix, option.name)} = ..."
    return f"{pair.ljust(COLUMN - 1)} # {remark(option)}; {shape}"


def default_line(prefix: tuple[str, ...], entry: Entry, value: object, comments: Comments) -> str:
    """Write the default of an option; `value` is that of the whole option, a table where it is one."""
    option = entry.option
    name = str(entry.root[-1])
    text = remark(option) if option and option.name == name else ""
    return lines(toml_key(*prefix, name), toml_value(value), text, comments)
