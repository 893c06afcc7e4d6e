import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
from analytics_maps import AS_OF_NS, MINUTE_NS, make_inputs, make_map

from liqscape.analytics import CaveatCode, caveats_for, filter_map, sentence
from liqscape.analytics.caveats import TEXTS
from liqscape.errors import BadArgument
from liqscape.model import Completeness, PriceKind
from liqscape.model.maps import Outcome

SOURCE = Path(__file__).parents[2] / "src" / "liqscape"
# Words that would sell a map as a prophecy (F37). Only sentences are searched: strings with a space in them.
# The card that tests the claim (F23) may name it.
CARD = ("cli/record.py", "cli/views/show_accuracy.py", "validate/claims.py")
BANNED = re.compile(
    r"\b(targets?|signals?|guaranteed|will reach|must reach|smart money|magnets?"
    r"|(?:you|traders?) (?:should|must|can) (?:buy|sell)|(?:buy|sell) (?:now|here|the dip)|time to (?:buy|sell))\b",
    re.IGNORECASE,
)


def codes(*args, **kwargs) -> list[str]:
    return [caveat.code for caveat in caveats_for(*args, **kwargs)]


def test_every_code_has_its_text():
    assert set(TEXTS) == {str(code) for code in CaveatCode}


def test_texts_are_filled():
    assert sentence("POTENTIAL") == "Where forced orders would sit, not where price must go."
    assert sentence("PRIOR", {"x": "9"}) == "9 % of this number is assumption, not data."
    assert sentence("EXPIRES", {"x": "36", "h": "4"}) == (
        "About 36 % of the next 4 h's liquidations come from positions open now."
    )
    assert "not known" in sentence("PRIOR")
    for code in CaveatCode:
        assert "{" not in sentence(code)
    with pytest.raises(BadArgument, match="caveat"):
        sentence("WORRY")


def test_the_caveats_of_an_asymmetry():
    m = make_map({(0.0, 0.1): 1e9}, {(0.0, 0.1): 1e9}, prior=0.25)
    found = caveats_for(m, "asymmetry", survivor_share={"4h": 0.36})
    texts = {caveat.code: caveat.text for caveat in found}
    assert [c.code for c in found] == [
        "POTENTIAL", "UNTESTED", "WINDOW", "PRIOR", "MODEL", "THROTTLED", "EXPIRES", "RECOMPUTED", "ADVICE",
    ]  # fmt: skip
    assert texts["PRIOR"] == "25 % of this number is assumption, not data."
    assert texts["EXPIRES"].startswith("About 36 % of the next 4 h's")
    assert texts["RECOMPUTED"] == "Rebuilt with test from stored rows, not recorded live."
    assert "UNTESTED" not in codes(m, "asymmetry", tested=True)


def test_the_odds_fill_the_baseline():
    m = make_map({(0.0, 0.1): 1e9}, {})
    texts = {c.code: c.text for c in caveats_for(m, "move-to", odds=0.687)}
    assert texts["BASELINE"] == "With no map at all the odds are 69 %."


def test_what_the_map_was_built_from_adds_codes():
    m = make_map({(0.0, 0.1): 1e9}, {(0.0, 0.1): 1e9}, prior=0.0)
    assert "PRIOR" not in codes(m, "map")
    late = make_inputs(last_bar_end_ns=AS_OF_NS - 11 * MINUTE_NS)
    assert codes(replace(m, inputs=(late,)), "map")[0] == "STALE"
    assert "STALE" not in codes(replace(m, inputs=(make_inputs(last_bar_end_ns=AS_OF_NS - 10 * MINUTE_NS),)), "map")
    complete = make_inputs(completeness=Completeness.ALL, recorded=True)
    assert {"THROTTLED", "RECOMPUTED"}.isdisjoint(codes(replace(m, inputs=(complete,)), "map"))
    assert "LAST_PRICE" in codes(replace(m, price_kind=PriceKind.LAST), "map")
    assert "SHIPPED" in codes(replace(m, outcome=Outcome.SHIPPED), "map")
    assert codes(replace(m, simulated=True), "map")[0] == "SIMULATED"
    assert codes(replace(m, caveats=("DEPTH",)), "map").count("DEPTH") == 1


def test_filters_are_named():
    m = filter_map(make_map({(0.0, 0.1): 1e9}, {}), side="short", leverage="10-50")
    (first, *_) = caveats_for(m, "map")
    assert first.text == "Filtered (leverage 10-50, side short): what was left out is not counted."


def test_an_unknown_reading_is_refused():
    with pytest.raises(BadArgument, match="reading"):
        caveats_for(make_map({}, {}), "horoscope")


def shipped_sentences(path: Path) -> list[tuple[int, str]]:
    """Return the string constants with a space in them; docstrings only where the command line prints them as help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings: set[int] = set()
    if "cli" not in path.relative_to(SOURCE).parts:
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
                docstrings.add(id(body[0].value))
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value and id(node) not in docstrings
    ]


def test_no_shipped_sentence_promises_anything():
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {match[0]!r} in {text[:80]!r}"
        for path in sorted(SOURCE.rglob("*.py"))
        for line, text in shipped_sentences(path)
        for match in BANNED.finditer(text)
        if not (match[0].lower() == "magnet" and str(path.relative_to(SOURCE)) in CARD)
    ]
    assert not found, "\n".join(found)


def test_the_search_for_banned_words_finds_them():
    for text in ("price target 90K", "a buy signal", "price will reach 90K", "you should buy", "the wall is a magnet"):
        assert BANNED.search(text)
    assert not BANNED.search("taker_side BUY of the aggressor")
