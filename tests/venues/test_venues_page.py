"""The page of venues is made of the adapters' facts: what they say stands there, and every word of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from liqscape.model import Kind
from liqscape.venues import overview
from liqscape.venues.registry import VENUES

PAGE = (Path(__file__).parents[2] / "docs" / "venues.md").read_text(encoding="utf-8")
TABLES = {
    "venue_capabilities": overview.capabilities,
    "venue_feeds": overview.feeds,
    "venue_limits": overview.limits,
    "venue_doubts": overview.doubts,
}


def test_the_page_holds_every_table_once():
    assert re.findall(r"\{\{ (\w+) \}\}", PAGE) == list(TABLES)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_tables_are_whole(table):
    head, *rows = table()
    assert rows
    assert {len(row) for row in rows} == {len(head)}
    assert all(cell for row in rows for cell in row)
    lines = overview.markdown(table()).splitlines()
    assert len(lines) == len(rows) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(head) + 1}


@pytest.mark.parametrize("key", VENUES)
def test_facts_of_an_adapter_stand_on_the_page(key):
    facts = VENUES[key].facts
    (row,) = [row for row in overview.capabilities() if row[1] == f"`{key}`"]
    told = dict(zip(overview.capabilities()[0], row, strict=True))
    live, asked = Kind.LIQUIDATIONS in facts.streams, Kind.LIQUIDATIONS in facts.asks
    assert told["liquidations"] == {(True, True): "both", (True, False): "live", (False, True): "asked"}.get((live, asked), "-")
    assert [row[1] for row in overview.doubts() if row[0] == facts.title] == [doubt.what for doubt in facts.doubts]
    (budget,) = [row[1] for row in overview.limits() if row[0] == facts.title]
    assert all(name in budget for name in facts.buckets)
    assert (facts.title in [row[0] for row in overview.feeds()]) == (live or asked)


def test_titles_name_one_adapter_each():
    titles = [venue.facts.title for venue in VENUES.values()]
    assert len(set(titles)) == len(titles)
