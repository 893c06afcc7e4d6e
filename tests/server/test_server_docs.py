"""The pages about the server say what it does: routes, caveats, limits, and the pages that answers point to."""

import re
from pathlib import Path

from liqscape.analytics.caveats import TEXTS, CaveatCode
from liqscape.server import gate, hub, memory, messages, options
from liqscape.server.app import create_app
from liqscape.server.hub import KINDS, MOST_TOPICS
from liqscape.server.options import Options

ROOT = Path(__file__).parents[2]
SERVING = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
DASHBOARD = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")
EVERY = {"200", "304", "401", "403", "422", "429", "500"}


def rows(page, marker):
    """Return the cells of the table after a comment."""
    table = page.split(f"<!-- {marker}:", 1)[1].split("\n\n", 2)[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def test_the_table_of_routes_is_the_description():
    document = create_app(Options()).openapi()
    found = {cells[0].strip("`"): cells for cells in rows(SERVING, "routes")}
    assert set(found) == {path.removeprefix("/api/v1") for path in document["paths"]}
    for path, asked in document["paths"].items():
        _, _, words, errors = found[path.removeprefix("/api/v1")]
        operation = asked["get"]
        assert re.findall(r"`(\w+)`", words) == [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"], path
        assert {one for one in errors.split() if one != "–"} == set(operation["responses"]) - EVERY, path


def test_every_caveat_is_explained_in_its_own_words_and_order():
    found = rows(DASHBOARD, "caveats")
    assert [cells[0] for cells in found] == [str(code) for code in CaveatCode]
    for code, text, meaning in found:
        assert text == TEXTS[code]
        assert len(meaning) > 20


def test_limits_are_those_of_the_source():
    for number in (gate._LONGEST_URL, options.Options().requests_per_minute):
        assert f"{number:,}" in SERVING
    assert f"{options.Options().clients} WebSockets" in SERVING
    assert f"{messages.LONGEST_MESSAGE} characters" in SERVING
    assert f"every {hub.HEARTBEAT_S:.0f} seconds" in SERVING
    assert f"({memory.LONGEST_REST_S:.0f} s at most)" in SERVING
    assert f"{MOST_TOPICS} for\none reader" in SERVING
    for kind in KINDS:
        assert f"`{kind}" in SERVING


def test_no_page_promises_anything():
    for page in (SERVING, DASHBOARD, (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")):
        assert not re.search(
            r"\b(guaranteed|will reach|must reach|smart money|target|signal)\b", page.replace("SIGTERM", ""), re.I
        )
