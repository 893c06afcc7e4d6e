"""Every state of the page (ux 4.2) can be reached: real answers, changed on their way."""

import json
import re

import pytest

NO_SUCH = {"ok": False, "error": {"hint": None, "context": {}, "retry_after_s": None}}


def refuse(code, status, message, **facts):
    """Answer every question about an instrument with an error."""

    def before(page):
        body = {"ok": False, "error": {**NO_SUCH["error"], "code": code, "message": message, **facts}}
        page.route(re.compile(r"/api/v1/BTC/"), lambda route: route.fulfill(status=status, json=body))
        silence(page)

    return before


def silence(page):
    """Let the stream say nothing, so that only the changed answers speak."""
    page.route_web_socket(re.compile("/stream"), lambda socket: None)


def changed(path, change):
    """Let an answer through with something changed in it."""

    def before(page):
        def handle(route):
            answer = route.fetch()
            told = answer.json()
            if told["ok"]:
                change(told)
            route.fulfill(response=answer, body=json.dumps(told))

        page.route(re.compile(rf"/api/v1/{path}(\?|$)"), handle)
        silence(page)

    return before


def empty(told):
    told["data"]["instruments"], told["data"]["bases"] = [], []


def gap(told):
    told["meta"]["window"]["missing_bars"] = 37


def left_out(told):
    told["meta"]["stale"] = [
        {
            "instrument": "okx:BTC-USDT-SWAP",
            "input": "bars",
            "at": None,
            "age_s": 74.0,
            "left_out": True,
            "reason": "its bars are old",
        }
    ]


def all_old(told):
    part = told["meta"]["coverage"]["parts"][0]["instrument"]
    told["meta"]["age_s"] = 90_000.0
    told["meta"]["stale"] = [
        {"instrument": part, "input": "bars", "at": None, "age_s": 90_000.0, "left_out": False, "reason": None}
    ]


def off(told):
    told["meta"]["accuracy"].update(state="off", reasons=["its lift is below 1"], days=70)


def prior(told):
    for row in told["data"]["within"]:
        if row["imbalance"]:
            row["imbalance"]["prior_share"] = 0.8


def clock(told):
    told["data"]["now"] = "2020-01-01T00:00:00Z"


STATES = {
    "no-data": (changed("instruments", empty), ["liqscape serve --demo", "liqscape backfill", "liqscape import"], "/"),
    "warming-up": (
        refuse("WARMING_UP", 503, "12 of 30 days read", retry_after_s=7),
        ["12 of 30 days read", "Tried again in"],
        "/BTC",
    ),
    "upstream": (
        refuse("UPSTREAM", 502, "binance did not answer", retry_after_s=9),
        ["binance did not answer", "Tried again in"],
        "/BTC",
    ),
    "unknown-instrument": (refuse("UNKNOWN_INSTRUMENT", 404, "DOGE is not stored"), ["DOGE is not stored", "open BTC"], "/BTC"),
    "gap": (changed("BTC/now", gap), ["37 of", "hatched"], "/BTC"),
    "left-out": (changed("BTC/now", left_out), ["Without OKX", "its bars are old"], "/BTC"),
    "all-stale": (changed("BTC/now", all_old), ["old", "liqscape record"], "/BTC"),
    "accuracy-off": (changed("BTC/now", off), ["OFF", "its lift is below 1"], "/BTC"),
    "prior-heavy": (changed("BTC/now", prior), ["assumption", "No ratio"], "/BTC"),
    "clock-off": (changed("health", clock), ["Clocks differ"], "/BTC"),
}


@pytest.mark.parametrize("name", STATES)
def test_state(visit, name):
    before, words, path = STATES[name]
    watched = visit(path, before=before, may_fail=True)
    page = watched.page
    state = page.locator(f"[data-state={name}]").first
    state.wait_for()
    told = state.inner_text()
    for word in words:
        assert word in told, told
    if name == "all-stale":
        assert page.evaluate("document.documentElement.hasAttribute('data-grey')")
    if name == "accuracy-off":
        assert "OFF" in page.locator("header .badge").inner_text()
    assert "undefined" not in page.locator("main").inner_text()
    assert "NaN" not in page.locator("main").inner_text()


def test_before_the_record(visit):
    page = visit("/BTC?as_of=1999-01-01", may_fail=True).page
    state = page.locator("[data-state=out-of-record]").first
    state.wait_for()
    assert "before the record" in state.inner_text()
    assert "liqscape backfill" in state.inner_text()
    state.get_by_role("button").click()
    page.wait_for_function("() => !location.search.includes('as_of')")


def test_a_market_that_nobody_stored(visit):
    page = visit("/DOGE", may_fail=True).page
    state = page.locator("[data-state=unknown-instrument]").first
    state.wait_for()
    assert "DOGE" in state.inner_text()


def test_the_simulated_market_says_so_on_every_screen(visit, past):
    for path in ("/BTC", f"/BTC?as_of={past}", "/BTC?side=long"):
        page = visit(path).ready()
        assert "SIMULATED" in page.locator("[data-state=simulated]").inner_text()
        assert "SIMULATED" in page.locator("section[aria-label=Headline]").inner_text()
