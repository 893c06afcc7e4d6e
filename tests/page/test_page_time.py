"""Time: the window is dragged and the ratio follows; nothing of the future is on a past page; the server goes and comes back."""

import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from page_server import start_server, stop_server


def test_the_edge_of_the_window_is_dragged_and_the_ratio_runs_along(visit, past):
    watched = visit(f"/BTC?as_of={past}")
    page = watched.ready()
    run = page.locator("section[aria-label^=Asymmetry] .run")
    edge = page.get_by_role("slider", name="Edge of the window")
    edge.scroll_into_view_if_needed()
    box = edge.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 30
    asked = len(watched.asked)
    page.mouse.move(x, y)
    page.mouse.down()
    seen = []
    for step in range(1, 6):
        page.mouse.move(x - step * 12, y)
        seen.append((float(run.get_attribute("data-within")), run.inner_text()))
    assert [each[0] for each in seen] == sorted((each[0] for each in seen), reverse=True)
    assert len({each[1] for each in seen}) >= 4, "the ratio stood still"
    assert not [url for url in watched.asked[asked:] if "/asymmetry" in url], "dragging needs no request"
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('within=')")
    chosen = float(parse_qs(urlsplit(page.url).query)["within"][0].rstrip("%")) / 100
    assert chosen == pytest.approx(seen[-1][0], rel=0.02)
    watched.ready()
    assert "within=" in watched.url_of("asymmetry")


def test_what_the_page_computes_is_what_the_engine_computes(visit, past, ask):
    page = visit(f"/BTC?as_of={past}&within=3%25").ready()
    text = page.locator("section[aria-label^=Asymmetry] .run").inner_text()
    row = ask("BTC/asymmetry", as_of=past, within="3%")["data"]["within"][0]
    scales = {"K": 1e3, "M": 1e6, "B": 1e9}
    short, long = (float(number) * scales[letter] for number, letter in re.findall(r"\$([\d.]+)([KMB])", text)[:2])
    assert short == pytest.approx(row["short_pool_usd"]["median"], rel=0.01)
    assert long == pytest.approx(row["long_pool_usd"]["median"], rel=0.01)


def test_scrubbing_back_shows_nothing_of_the_future(visit, past, ask):
    watched = visit("/BTC")
    page = watched.ready()
    start = len(watched.asked)
    page.get_by_role("slider", name="shown instant").focus()
    for _ in range(3):
        page.keyboard.press("{")
    page.wait_for_function("() => location.search.includes('as_of=')")
    page.wait_for_timeout(800)
    watched.ready()
    shown = parse_qs(urlsplit(page.url).query)["as_of"][0]
    end = ask("instruments")["data"]["instruments"][0]["to"]
    limit = datetime.fromisoformat(shown)
    assert timedelta(days=2) < datetime.fromisoformat(end) - limit < timedelta(days=4)
    for url in watched.asked[start:]:
        words = parse_qs(urlsplit(url).query)
        if re.search(r"/api/v1/BTC/(?!accuracy)", url):
            assert "as_of" in words, url
            assert datetime.fromisoformat(words["as_of"][0]) < datetime.fromisoformat(end), url
    for resource in ("now", "map", "heat", "asymmetry", "cascade", "zones", "move-to"):
        words = parse_qs(urlsplit(watched.url_of(resource)).query)
        assert words["as_of"] == [shown], resource
        told = ask(f"BTC/{resource}", **{name: value[0] for name, value in words.items()})
        assert datetime.fromisoformat(told["meta"]["as_of"]) <= limit
        if resource == "heat":
            assert all(datetime.fromisoformat(each["at"]) <= limit for each in told["data"].get("realised", []) if "at" in each)
            assert datetime.fromisoformat(told["data"]["to"]) <= limit + timedelta(minutes=5)
    stamp = shown[:16].replace("T", " ")
    assert stamp in page.locator("header").first.inner_text()
    banner = page.locator("[data-banner]").inner_text()
    assert stamp in banner
    assert "rebuilt with" in banner
    now = ask("BTC/now")["data"]
    assert f"{now['mark_price']:,.1f}" not in page.locator("main").inner_text(), "the newest price is still on screen"
    # Only on request, and it can be taken back: candles of what came after.
    page.keyboard.press("v")
    page.get_by_role("button", name="hide what came after").wait_for()
    page.keyboard.press("v")
    page.get_by_role("button", name="show what came after").wait_for()
    page.keyboard.press("n")
    page.wait_for_function("() => !location.search.includes('as_of=')")


def test_an_address_is_the_view(visit, past):
    path = f"/BTC?as_of={past}&within=5%25&look=7d&palette=inferno&hide=realised&tab=heat"
    page = visit(path).ready()
    assert page.url.endswith(path)
    assert page.get_by_role("button", name="7d", exact=True).get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="12h", exact=True).click()
    page.wait_for_function("() => location.search.includes('look=12h')")
    page.go_back()
    page.wait_for_function("() => location.search.includes('look=7d')")
    assert page.get_by_role("button", name="7d", exact=True).get_attribute("aria-pressed") == "true"


def test_the_server_dies_and_comes_back(visit, tmp_path, address, shared):
    import shutil

    shutil.copytree(
        shared / "market" / "live-home", tmp_path / "live-home", ignore=shutil.ignore_patterns("*-journal", "*-wal", "*-shm")
    )
    process, at = start_server(tmp_path)
    running = True
    try:
        watched = visit("/BTC", at=at, may_fail=True)
        page = watched.ready()
        page.locator("header [data-live=live]").first.wait_for()
        mark = page.locator("header .big").inner_text()
        stop_server(process)
        running = False
        lost = page.locator("[data-state=server-lost]")
        lost.wait_for()
        assert "does not answer" in lost.inner_text()
        assert "liqscape serve" in lost.inner_text()
        assert page.locator("header [data-live=lost]").count() == 1
        assert page.locator("header .big").inner_text() == mark, "old numbers stay, with their time"
        assert "does not answer" in page.locator("[role=status]").inner_text()
        process, _ = start_server(tmp_path, port=urlsplit(at).port)
        running = True
        lost.wait_for(state="detached", timeout=120_000)
        page.locator("header [data-live=live]").first.wait_for()
    finally:
        if running:
            stop_server(process)
