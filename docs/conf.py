"""How the documentation is built: `sphinx-build -W -b html docs docs/_build/html`."""

from liqscape import __version__
from liqscape.settings import ROWS
from liqscape.venues import overview

project = "liqscape"
author = "liqscape contributors"
copyright = "liqscape contributors, Apache-2.0"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"liqscape {__version__}"
html_show_sphinx = False

myst_enable_extensions = ["substitution"]
myst_heading_anchors = 3
# `$ ...` and output in one block is more than any lexer knows for certain.
suppress_warnings = ["misc.highlighting_failure"]

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True


def settings_table() -> str:
    """Return the settings as a Markdown table; what a name means stands in the code once."""
    lines = ["| setting | environment | default | unit | meaning |", "|---|---|---|---|---|"]
    for row in ROWS:
        default = (
            "the platform's user data folder" if row.name == "home" else "unset" if row.default in (None, {}) else row.default
        )
        lines.append(f"| `{row.name}` | `LIQSCAPE_{row.name.upper()}` | {default} | {row.unit} | {row.help} |")
    return "\n".join(lines)


myst_substitutions = {
    "settings_table": settings_table(),
    "venue_capabilities": overview.markdown(overview.capabilities()),
    "venue_feeds": overview.markdown(overview.feeds()),
    "venue_limits": overview.markdown(overview.limits()),
    "venue_doubts": overview.markdown(overview.doubts()),
}
