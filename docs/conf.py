"""Configure Sphinx: MyST pages, the furo theme, and reference pages written from fxkit itself."""

import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "fxkit"
author = "the fxkit authors"
release = version = installed_version("fxkit")

extensions = ["myst_parser", "sphinx.ext.autodoc", "fxkit_docs"]
exclude_patterns = ["_build", "_ext", "notebooks", "generated/fragments"]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3

# Docstrings mark code with single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
# Options, shapes and TOML in docstrings mean the characters that are written.
smartquotes = False

html_theme = "furo"
html_show_copyright = False
html_title = f"fxkit {release}"
html_static_path = ["_static"]
html_css_files = ["fxkit.css"]
pygments_style = "default"
pygments_dark_style = "github-dark"


def short_arrays(app, what, name, obj, options, signature, returns):
    """Write NDArray where the signature spells out what it stands for."""
    spelled = re.compile(r"[~\w.]*ndarray\[.*?dtype\[[~\w.]*float32\]\]")
    return tuple(text and spelled.sub("NDArray", text) for text in (signature, returns))


def setup(app):
    app.connect("autodoc-process-signature", short_arrays)
