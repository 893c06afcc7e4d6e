"""Every panel shows the numbers that the API gave: what stands on the page is compared with what was answered."""

import re

import httpx
import pytest

from liqscape.units import format_usd


def squeezed(text):
    return re.sub(r"\s+", " ", text).strip()


def percent(value, decimals=1, sign=False):
    return f"{'+' if sign and value > 0 else ''}{value * 100:.{decimals}f} %"


def interval(estimate):
    lo, hi = (format_usd(estimate[name]).replace("$", "") for name in ("lo", "hi"))
    return f"{format_usd(estimate['median'])} [{lo}–{hi}]"


def odds(found):
    """As the page writes them, without their error: small ones keep a digit."""
    value = found["value"]
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0 < value < 0.02:
        return f"{value * 100:.1f} %"
    return f"{round(value * 100)}"


@pytest.fixture
def seen(visit, past):
    """The page of a past instant; `seen(panel)` is its text, `seen.data(name)` what the API says to the same request."""
    watched = visit(f"/BTC?as_of={past}")
    page = watched.ready()

    def text(panel):
        return squeezed(page.locator(f"section[aria-label^='{panel}']").first.inner_text())

    def data(resource):
        found = httpx.get(watched.url_of(resource), timeout=30).json()
        assert found["ok"], found
        return found["data"]

    text.page, text.data, text.watched = page, data, watched
    return text


def test_every_panel_shows_what_the_api_gave(seen, past, ask):
    page, now = seen.page, seen.data("now")
    head = squeezed(page.locator("header").first.inner_text())
    assert f"{now['mark_price']:,.1f}" in head
    assert percent(now["price_change_24h"], 2, True) in head
    assert format_usd(now["open_interest_usd"]) in head
    assert f"{now['funding_rate'] * 1e4:+.1f} bp/8h" in head
    assert past[:16].replace("T", " ") in head

    headline = squeezed(page.locator("section[aria-label=Headline] .sentence").inner_text())
    assert headline.replace("SIMULATED ", "SIMULATED. ") == now["headline"]

    rows = page.locator("section[aria-label^=Asymmetry] tbody tr")
    told = {row["distance"]: row for row in seen.data("asymmetry")["within"]}
    assert rows.count() == 5
    for at, text in enumerate(rows.all_inner_texts()):
        row = told[[0.01, 0.02, 0.05, 0.1, 0.2][at]]
        assert format_usd(row["short_pool_usd"]["median"]) in text, at
        assert format_usd(row["long_pool_usd"]["median"]) in text, at
        if row["imbalance"]["prior_share"] > 0.5:
            assert f"{row['imbalance']['prior_share'] * 100:.0f} % assumption: no ratio" in text
        else:
            assert (row["ratio_text"].replace(" : 1", "") if row["ratio"] else "too small") in text
            assert f"{row['imbalance']['median']:+.2f}" in text

    moves = seen("To liquidate")
    for row in seen.data("move-to")["moves"]:
        for way, sign in (("up", "+"), ("down", "-")):
            if row[way]:
                assert f"{sign}${abs(row[way]['move']):,.0f}" in moves, row["usd"]

    cascade, panel = seen.data("cascade"), page.locator("section[aria-label^=Cascade]")
    first = squeezed(panel.locator("tr.first").inner_text())
    for way in ("up", "down"):
        assert odds(cascade[way]["ignition"]["p_ignites"]) in first
        run = cascade[way]["run"]["distance"]
        sign = 1 if way == "up" else -1
        assert f"{percent(sign * run['lo'], 1, True)} to {percent(sign * run['hi'], 1, True)}" in squeezed(panel.inner_text())

    watch = seen("Watch points")
    zones = seen.data("zones")
    assert all(interval(zone["pool_usd"]) in watch for zone in zones["zones"])
    assert all(finding in watch for finding in zones["findings"])
    assert "not recorded yet" in watch
    conditions = seen("Conditions")
    assert "not recorded yet" in conditions
    assert f"{now['funding_rate'] * 1e4:+.1f} bp/8h" in conditions

    episodes = seen("Episodes")
    for one in seen.data("episodes")["episodes"]:
        for tally in one["tallies"]:
            assert f"{tally['heavy']} of {tally['episodes']}" in episodes
        for each in one["episodes"][:6]:
            assert each["at"][:10] in episodes


def test_the_ladder_and_its_twin_hold_the_rows_of_the_map(seen):
    page = seen.page
    page.wait_for_function("() => performance.getEntriesByType('resource').some((each) => each.name.includes('step='))")
    seen.watched.ready()
    told = httpx.get(seen.watched.url_of("map", "step"), timeout=30).json()["data"]["ladder"]
    page.wait_for_function(
        "() => document.querySelector('section[aria-label=Ladder] tr[data-side] td:nth-child(3)').innerText.includes('[')"
    )
    for side in ("short", "long"):
        checked = 0
        for row in told[side]:
            cells = page.locator(f"section[aria-label=Ladder] tr[data-side={side}][data-far='{abs(row['distance']):.4f}'] td")
            if cells.count():
                assert cells.nth(2).inner_text() == interval(row["usd"])
                assert cells.nth(4).inner_text() == format_usd(row["sum_out_usd"]["median"])
                checked += 1
        assert checked >= 3
    page.keyboard.press("t")
    twin = page.locator("dialog[open]")
    twin.wait_for()
    told, ladder = squeezed(twin.inner_text()), seen.data("map")["ladder"]
    for side in ("short", "long"):
        for row in ladder[side]:
            assert interval(row["usd"]) in told
            assert percent(row["distance"], 1, True) in told
    assert seen.data("map")["headline"] in told


def test_any_number_opens_how_it_is_known(seen):
    page, now = seen.page, seen.data("now")
    numbers = page.locator("main button.number:not([disabled])")
    assert numbers.count() > 40
    page.locator("section[aria-label^=Asymmetry] td.short button.number").nth(1).click()
    sheet = page.locator("dialog[open]")
    sheet.wait_for()
    told = squeezed(sheet.inner_text())
    row = next(row for row in seen.data("asymmetry")["within"] if row["distance"] == 0.02)
    answer = httpx.get(seen.watched.url_of("asymmetry"), timeout=30).json()
    assert interval(row["short_pool_usd"]).split(" [")[1].rstrip("]").split("–")[0] in told
    assert f"{row['short_pool_usd']['prior_share'] * 100:.0f} % of it is prior" in told
    assert answer["meta"]["inputs_hash"] in told
    assert answer["links"]["reproduce"] in told
    curl = sheet.locator("code", has_text="curl").inner_text()
    again = httpx.get(re.search(r"http://[^'\" ]+", curl)[0], timeout=30).json()
    assert again["data"] == answer["data"]
    for code, text in answer["meta"]["caveat_texts"].items():
        assert code in told
        assert squeezed(text) in told
    page.keyboard.press("Escape")
    sheet.wait_for(state="detached")
    assert now


def test_the_record_is_told_in_its_drawer(seen, ask):
    page = seen.page
    page.keyboard.press("a")
    sheet = page.locator("dialog[open]")
    sheet.wait_for()
    told = squeezed(sheet.inner_text())
    meta = httpx.get(seen.watched.url_of("now"), timeout=30).json()["meta"]
    assert meta["accuracy"]["state"].upper() in told
    assert meta["inputs_hash"] in told
    for part in meta["coverage"]["parts"]:
        assert format_usd(part["open_interest_usd"]) in told
    for share in meta["survivor_share"].values():
        assert f"{share * 100:.0f} %" in told


def test_a_filter_is_asked_for_and_said(visit, past):
    watched = visit(f"/BTC?as_of={past}&side=short&leverage=10-50")
    page = watched.ready()
    assert "side=short" in watched.url_of("map")
    assert "leverage=10-50" in watched.url_of("asymmetry")
    assert page.get_by_text("FILTERED").count() >= 2
    page.get_by_role("button", name="show all", exact=True).click()
    page.wait_for_function("() => !location.search.includes('leverage')")
    # Old numbers keep their word until the new ones are here.
    page.wait_for_function("() => !document.body.innerText.includes('FILTERED')")
    assert "leverage=" not in watched.url_of("asymmetry")
