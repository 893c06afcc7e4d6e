"""Numbers lead somewhere: every address that an answer gives can be opened, and what the method pages say is in the record."""

import re
from pathlib import Path

import pytest
from served import Asker

from liqscape.api.envelope import method_of
from liqscape.server import methods
from liqscape.server.gate import POLICY

ROOT = Path(__file__).parents[2]
PAGES = methods.read_pages()
SECTIONS = ["What it says", "How it is computed", "From what", "What it is not", "How wrong it has been", "Reproduce it"]
ASKED = (
    "now", "map", "heatmap?interval=6h&rows=40", "heat", "asymmetry", "move-to", "zones", "fuel?since=24h", "cascade", "accuracy",
    "accuracy/ledger", "accuracy/magnet", "liquidations", "episodes",
)  # fmt: skip
_COLOUR = re.compile(r"--([\w-]+): (#\w+)")
_BANNED = re.compile(r"\b(target|signal|guaranteed|will reach|must reach|smart money)\b", re.I)


@pytest.mark.parametrize("asked", ASKED)
def test_every_address_of_an_answer_can_be_opened(get, asked):
    answer = get(f"/api/v1/BTC/{asked}").json()
    links = answer["links"]
    assert links["method"] == method_of(asked.partition("?")[0])
    addresses = [value for value in links.values() if value and value.startswith("/")]
    assert links["method"] in addresses
    for found in get(*addresses) if len(addresses) > 1 else [get(*addresses)]:
        assert found.status_code == 200 or "is not built" in found.text, found.url
    if links["page"]:
        assert links["page"].startswith("/BTC?as_of=")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_all_that_it_must(get, name):
    page = PAGES[name]
    assert re.findall(r"^## (.+)$", page.text, re.MULTILINE) == SECTIONS
    assert not _BANNED.search(page.text)
    assert "magnet" not in page.text or name == "accuracy"
    found = get(f"/method/{name}")
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["content-security-policy"] == POLICY
    assert get(f"/method/{name}", if_none_match=found.headers["etag"]).status_code == 304
    assert "<script" not in found.text
    assert "style=" not in found.text
    linked = set(re.findall(r'(?:href|src)="([^"]+)"', found.text))
    assert all(each.startswith("/") for each in linked)
    for answer in get(*sorted(linked - {"/", "/icon.svg"})):
        assert answer.status_code == 200, answer.url
    for source in re.findall(r"`(docs/[\w/]+\.md)`", page.text):
        assert (ROOT / source).is_file()


def test_every_command_has_its_page():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "liqscape" / "api" / "answers").glob("*.py"))
    commands = set(re.findall(r'command="([\w-]+)"', source)) | {"attribute", "calc", "heat"}
    assert {method_of(each) for each in commands} == {f"/method/{name}" for name in PAGES}


def test_intervals_of_the_record_are_those_of_the_pages_that_commands_write():
    """What was measured is written by commands into docs/*.md: a page that quotes it must not say anything else."""
    record = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    quoted = 0
    for page in PAGES.values():
        told = page.text.split("## How wrong it has been", 1)[1]
        for number in re.findall(r"[+-]?[\d.]+ \[[^\]]+\]", told):
            assert number in record, f"{page.feature}: {number}"
            quoted += 1
    assert quoted > 20


def test_the_look_is_that_of_the_dashboard():
    theme = (ROOT / "web" / "src" / "lib" / "theme.css").read_text(encoding="utf-8")
    dark, light = (dict(_COLOUR.findall(part)) for part in theme.split("prefers-color-scheme: light", 1))
    ours_dark, ours_light = (
        dict(_COLOUR.findall(part)) for part in methods.STYLE.read_text(encoding="utf-8").split("prefers-color-scheme: light", 1)
    )
    assert ours_dark.items() <= dark.items()
    assert ours_light.items() <= light.items()


def test_what_is_not_there_is_said(get):
    assert get("/method").status_code == 200
    found = get("/method/%3Cscript%3Enothing")
    assert found.status_code == 404
    assert "&lt;script&gt;nothing" in found.text
    assert "<script>" not in found.text


def test_method_pages_need_no_token(home):
    guarded = Asker(home, token="a-token-of-some-length")
    try:
        assert guarded("/method/map").status_code == 200
    finally:
        guarded.close()
