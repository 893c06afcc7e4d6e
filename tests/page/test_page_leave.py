"""Where numbers lead and how they leave the page: provenance, methods, two instants, pictures; and who sees other colours."""

import re
import struct
import zlib
from pathlib import Path

import httpx
import pytest
from page_watch import DESKTOP

_AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
_RUN = """async () => (await axe.run(document, { runOnly: RULES }))
  .violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).slice(0, 3)}`)""".replace(
    "RULES", _RULES
)
# Numbers in cells that say nothing of themselves.
_MUTE = """() => [...document.querySelectorAll('main td, main dd, dialog[open] td, dialog[open] dd')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('.hidden-text, .plain'))
  .flatMap((each) => { const found = [], walk = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) { const at = walk.currentNode;
      const told = at.parentElement.closest('[data-fact], svg, button, .hidden-text');
      if (/[$]\\d|\\d ?%/.test(at.data) && !told) found.push(at.data.trim()); }
    return found; })
  // Where there is nothing, and the other end of an interval beside its number.
  .filter((text) => !/^(none in|\\[)/.test(text))"""
# Opens each number in turn, as a click or Enter does, and reads what the sheet says.
_WALK = """async ({ within, key }) => {
  const wrongs = []; let opened = 0;
  const next = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const sheet = () => [...document.querySelectorAll('dialog[open]')].find((each) => each.querySelector('.shown'));
  for (const each of document.querySelectorAll(`${within} [data-fact]:not([disabled])`)) {
    if (!each.checkVisibility({ visibilityProperty: true })) continue;
    const shown = each.innerText.trim();
    each.focus();
    each.click();
    for (let i = 0; i < 50 && !sheet(); i++) await next();
    const text = sheet()?.innerText ?? '';
    for (const word of ['unit', 'interval', 'how known', 'formula', 'as of', 'inputs', 'method', 'hash of inputs'])
      if (!text.includes(word)) wrongs.push(`${shown}: ${word}`);
    if (!text.includes(shown)) wrongs.push(`${shown}: another number`);
    if (!/liqscape [a-z-]+ /.test(text)) wrongs.push(`${shown}: no command`);
    if (!/curl -s/.test(text)) wrongs.push(`${shown}: no request`);
    if (!sheet()?.querySelector('a[href^="/method/"]')) wrongs.push(`${shown}: no method`);
    sheet()?.querySelector('button[aria-label=Close]').click();
    for (let i = 0; i < 50 && document.querySelector('dialog .shown'); i++) await next();
    opened++;
  }
  return { opened, wrongs: [...new Set(wrongs)] };
}"""


def test_every_number_opens_how_it_is_known(visit, past):
    watched = visit(f"/BTC?as_of={past}&compare=1d")
    page = watched.ready()
    page.locator("[data-compared] table").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page.evaluate(_MUTE) == []
    found = page.evaluate(_WALK, {"within": "main", "key": None})
    assert found["wrongs"] == []
    assert found["opened"] > 100
    page.keyboard.press("a")
    page.locator("dialog[open]").wait_for()
    watched.ready()
    assert page.evaluate(_MUTE) == []
    drawer = page.evaluate(_WALK, {"within": "dialog[open]", "key": None})
    assert drawer["wrongs"] == []
    assert drawer["opened"] >= 6


def test_a_number_opens_and_closes_by_keyboard(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    number = page.locator("section[aria-label^=Asymmetry] [data-fact]").first
    number.focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open] .shown").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('dialog[open]')")
    assert number.evaluate("(each) => each === document.activeElement")


def test_rows_of_the_ladder_open_by_key_and_by_pointer(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    rows = page.get_by_role("slider", name="Row of the ladder")
    rows.focus()
    seen = set()
    for _ in range(3):
        told = rows.get_attribute("aria-valuetext")
        page.keyboard.press("Enter")
        sheet = page.locator("dialog[open]")
        sheet.wait_for()
        text = sheet.inner_text()
        assert told.split(": ")[0] in text
        assert told.split(": ")[1] in text
        assert "formula" in text
        page.keyboard.press("Escape")
        sheet.wait_for(state="detached")
        seen.add(told)
        page.keyboard.press("ArrowUp")
    assert len(seen) == 3
    canvas = page.locator("section[aria-label=Ladder] canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] - 20, "y": box["height"] / 3})
    page.locator("dialog[open] .shown").wait_for()
    assert "positions in the row" in page.locator("dialog[open]").inner_text()
    assert "pin=" not in page.url


def test_the_method_of_a_number_is_a_page(visit, past, browser, address):
    page = visit(f"/BTC?as_of={past}").ready()
    page.locator("section[aria-label^=Cascade] [data-fact]").first.click()
    link = page.locator("dialog[open] a[href^='/method/']")
    assert link.get_attribute("href") == "/method/cascade"
    for scheme, size in (
        ("dark", DESKTOP["viewport"]),
        ("light", {"width": 390, "height": 844}),
        ("light", {"width": 320, "height": 600}),
    ):
        context = browser.new_context(color_scheme=scheme, viewport=size)
        context.add_init_script(path=str(_AXE))
        method = context.new_page()
        said = []
        method.on("console", lambda message, said=said: said.append(message.text))
        method.goto(f"{address}/method/cascade")
        assert method.locator("h1").inner_text() == "Cascade"
        assert method.evaluate(_RUN) == []
        assert method.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert said == []
        context.close()


def chunks(png):
    """Yield the chunks of a PNG, checked."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        yield name.decode(), body
        at += 12 + length


@pytest.mark.parametrize(("key", "size"), [("i", (1600, 900)), ("I", (1080, 1350))])
def test_a_picture_leaves_with_what_it_must_not_be_read_without(visit, past, ask, key, size):
    page = visit(f"/BTC?as_of={past}", **DESKTOP, accept_downloads=True).ready()
    page.wait_for_timeout(500)
    with page.expect_download() as saved:
        page.keyboard.press(key)
    content = Path(saved.value.path()).read_bytes()
    found = list(chunks(content))
    assert struct.unpack(">II", found[0][1][:8]) == size
    texts = {body.split(b"\0")[0].decode(): body.rsplit(b"\0", 1)[1].decode() for name, body in found if name == "iTXt"}
    told = ask("BTC/map", as_of=past)
    assert told["data"]["headline"] in texts["Description"]
    for text in told["meta"]["caveat_texts"].values():
        assert text in texts["Description"]
    assert re.search(rf"/BTC\?as_of={re.escape(past)}$", texts["Source"])
    assert saved.value.suggested_filename.endswith(f"{size[0]}x{size[1]}.png")
    page.locator("[role=status]", has_text="saved").wait_for(state="attached")


def test_levels_leave_as_the_servers_own_table(visit, past, address):
    page = visit(f"/BTC?as_of={past}&side=long", **DESKTOP, accept_downloads=True).ready()
    with page.expect_download() as saved:
        page.keyboard.press("e")
    told = Path(saved.value.path()).read_text()
    assert told == httpx.get(f"{address}/BTC.csv", params={"as_of": past, "side": "long"}, timeout=60).text
    assert "# long_usd: USD at the level" in told


def test_two_instants_stand_beside_each_other(visit, past, ask):
    watched = visit(f"/BTC?as_of={past}", may_fail=True)
    page = watched.ready()
    page.get_by_label("compare").select_option("1d")
    page.locator("[data-compared] table").wait_for()
    then = page.evaluate("(at) => new Date(Date.parse(at) - 86400000).toISOString().slice(0, 16) + 'Z'", past)
    told = ask("BTC/map", as_of=then)["data"]["ladder"]["mark_price"]
    now = ask("BTC/map", as_of=past)["data"]["ladder"]["mark_price"]
    row = page.locator("[data-compared] tbody tr").first.inner_text()
    assert f"{told:,.1f}" in row
    assert f"{now:,.1f}" in row
    assert f"{(now / told - 1) * 100:+.1f} %" in row
    assert then[:16].replace("T", " ") in page.locator("[data-compared]").inner_text()
    # Before the record there is nothing, and that is said.
    page.goto(page.url.split("?")[0] + f"?as_of={past}&compare=2001-01-01T00:00Z")
    page.locator("[data-compared]", has_text="Nothing to compare with").wait_for()
    page.get_by_role("button", name="compare with nothing").click()
    page.locator("[data-compared]").wait_for(state="detached")
    # Nothing is offered that does not exist yet.
    assert page.get_by_role("button", name=re.compile(r"^(save|snapshot|reports?)\b", re.IGNORECASE)).count() == 0


def test_live_is_compared_too(visit):
    page = visit("/BTC?compare=1d").ready()
    page.locator("[data-compared] table").wait_for()


def test_forced_colours_keep_what_is_pressed_and_hatched(browser, address, past):
    context = browser.new_context(forced_colors="active", reduced_motion="reduce", **DESKTOP)
    context.add_init_script(path=str(_AXE))
    page = context.new_page()
    page.goto(f"{address}/BTC?as_of={past}")
    page.locator("section[aria-label^=Asymmetry] [data-fact]").first.wait_for()
    look = "(each) => getComputedStyle(each).backgroundColor"
    pressed = page.locator("button[aria-pressed=true]:not([disabled])").first.evaluate(look)
    assert pressed != page.locator("button[aria-pressed=false]").first.evaluate(look)
    assert (
        page.locator("section[aria-label=Ladder] i.prior").evaluate("(each) => getComputedStyle(each).backgroundImage") != "none"
    )
    assert page.evaluate("document.getAnimations().length") == 0
    context.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_sheets_on_sheets_can_be_read_by_all(visit, past, scheme):
    """Twice as large as a desk of 1600 x 900: the width of a small tablet."""
    watched = visit(
        f"/BTC?as_of={past}&compare=1d",
        scheme=scheme,
        script=str(_AXE),
        viewport={"width": 800, "height": 450},
        device_scale_factor=2,
    )
    page = watched.ready()
    layout = Path(__file__).with_name("layout.js").read_text()
    assert page.evaluate(layout) == []
    assert page.evaluate(_RUN) == []
    page.keyboard.press("a")
    page.locator("dialog[open] [data-fact]").first.wait_for()
    watched.ready()
    page.locator("dialog[open] [data-fact]").first.click()
    page.locator("dialog[open] .shown").wait_for()
    assert page.evaluate(_RUN) == []
