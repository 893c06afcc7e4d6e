"""The page without a mouse: every control can be reached and is seen to have the focus, and the keys do what the help says."""

import re
from urllib.parse import unquote, urlsplit

from page_watch import READY

_FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const inner = at.querySelector('.grip');
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const ring = inner ? getComputedStyle(inner).strokeWidth !== '1px' : outlined;
  return { name: at.getAttribute('aria-label') || at.innerText || at.id || at.tagName, tag: at.tagName, ring,
           seen: box.width > 0 && box.height > 0 };
}"""


def test_every_control_is_reached_by_tab_and_shows_it(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    wanted = page.evaluate(
        """() => [...document.querySelectorAll(
            'main button, main select, main input, main summary, main a[href], main [tabindex="0"]')]
          .filter((each) => !each.disabled && each.checkVisibility({ visibilityProperty: true }) && each.tabIndex >= 0).length"""
    )
    assert wanted > 60
    reached, wrongs = 0, []
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at is None:
            break
        reached += 1
        if not at["ring"] or not at["seen"]:
            wrongs.append(at)
    assert reached >= wanted
    assert not wrongs, wrongs[:10]


KEYS = {
    "1": "within=1%25", "3": "within=5%25", "h": "hide=heat", "l": "hide=ladder", "d": "hide=depth", "p": "hide=prior",
    "r": "hide=realised", "m": "hide=mirror", "k": "palette=inferno", "a": "open=accuracy", "t": "open=table", "?": "open=help",
}  # fmt: skip


def test_keys_change_the_view_and_are_in_the_help(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    for key, word in KEYS.items():
        page.keyboard.press(key)
        page.wait_for_function("(word) => location.search.includes(word)", arg=word)
        if word.startswith("open="):
            sheet = page.locator("dialog[open]")
            sheet.wait_for()
            if key == "?":
                told = sheet.inner_text()
                for each in (*KEYS, "b", "x", "w", "c", "[", "]", "space", "g", "n", "v", "0", "i", "y", "e", "/"):
                    assert re.search(rf"(^|\s){re.escape(each)}(\s|$)", told) or each in "12345", each
            page.keyboard.press("Escape")
            page.wait_for_function("() => !location.search.includes('open=')")
        elif word.startswith("hide="):
            page.keyboard.press(key)
            page.wait_for_function("(word) => !location.search.includes(word)", arg=word)


FOCUSES = {"/": "instrument", "b": "budget", "x": "shock", "g": "goto", "w": "watch", "c": "conditions"}


def test_keys_move_to_the_controls(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    for key, name in FOCUSES.items():
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        at = page.evaluate("() => [document.activeElement.id, document.activeElement.dataset.key]")
        assert name in at, f"{key} moved to {at}"
    # What is typed in a field is text, not a command.
    page.locator("#budget").fill("")
    page.locator("#budget").press_sequentially("5M")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('5M')")
    assert "hide=" not in page.url


def test_sliders_move_with_arrows(visit, past):
    watched = visit(f"/BTC?as_of={past}")
    page = watched.ready()
    edge = page.get_by_role("slider", name="Edge of the window")
    before = edge.get_attribute("aria-valuenow")
    edge.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('within=')")
    assert edge.get_attribute("aria-valuenow") != before
    shock = page.locator("#shock")
    shock.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('shock=')")
    watched.ready()
    assert "shock=" in watched.url_of("cascade")


def test_a_step_on_from_the_past_is_one_though_the_end_of_the_record_is_not_known_yet(visit, past):
    held = []
    page = visit(
        f"/BTC?as_of={past}", before=lambda page: page.route("**/api/v1/instruments", lambda route: held.append(route))
    ).page
    page.locator(READY).first.wait_for(state="attached")
    page.keyboard.press("]")
    page.wait_for_function("(was) => !decodeURIComponent(location.search).includes(was)", arg=past)
    assert past[:-3] in unquote(urlsplit(page.url).query)  # five minutes on, in the same hour
    assert held
    for route in held:
        route.continue_()


def test_step_and_replay(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    page.keyboard.press("[")
    page.wait_for_function("(was) => !location.search.includes(was)", arg=past)
    page.keyboard.press("]")
    page.wait_for_function("(was) => decodeURIComponent(location.search).includes(was)", arg=past)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.get_by_role("button", name="pause").wait_for()
    page.wait_for_function("(was) => !decodeURIComponent(location.search).includes(was)", arg=past)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.get_by_role("button", name="play", exact=True).wait_for()
