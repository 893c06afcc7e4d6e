"""axe-core finds nothing wrong, whatever the theme, the size or the drawer; nothing is cut off, laid over or off the side."""

from pathlib import Path

import pytest
from page_watch import DESKTOP, PHONE

_AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
  const found = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
  return found.violations.map((each) => `${each.id}: ${each.help} (${each.nodes.length}): ` +
    each.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`)
      .join(' | '));
}"""
_LAYOUT = Path(__file__).with_name("layout.js").read_text()
TABS = ("ladder", "heat", "cascade", "watch", "more")
_LOOKS = [("desktop", "dark"), ("desktop", "light"), ("phone", "dark"), ("phone", "light")]


def how(size):
    return dict(DESKTOP if size == "desktop" else PHONE)


@pytest.mark.parametrize(("size", "scheme"), _LOOKS)
def test_the_page_can_be_read_by_all(visit, past, size, scheme):
    assert _AXE.is_file(), "axe-core is not installed: `make web` installs it."
    watched = visit(f"/BTC?as_of={past}", scheme=scheme, script=str(_AXE), **how(size))
    page = watched.ready()
    found = {"page": page.evaluate(_RUN)}
    layout = {"page": page.evaluate(_LAYOUT)}
    if size == "phone":
        for tab in TABS[1:]:
            page.locator("[role=tab]").nth(TABS.index(tab)).click()
            watched.ready()
            found[tab], layout[tab] = page.evaluate(_RUN), page.evaluate(_LAYOUT)
    for drawer in ("a", "t", "?"):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(drawer)
        page.locator("dialog[open]").wait_for()
        watched.ready()
        found[drawer] = page.evaluate(_RUN)
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.querySelector('dialog[open]')")
    assert not any(found.values()), found
    assert not any(layout.values()), layout


@pytest.mark.parametrize("width", [1100, 1099, 900, 761, 760, 600, 320])
def test_nothing_is_cut_off_at_any_width(visit, past, width):
    page = visit(f"/BTC?as_of={past}", viewport={"width": width, "height": 900}).ready()
    assert page.evaluate(_LAYOUT) == []


def test_forced_colours_and_touch_targets(visit, past):
    page = visit(f"/BTC?as_of={past}", **how("phone")).ready()
    small = page.evaluate(
        """() => [...document.querySelectorAll('main button, main select, main input, main summary')]
          .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('.hidden-text'))
          .map((each) => [each, each.getBoundingClientRect()])
          // A number of few digits is as wide as its digits, with room around it.
          .filter(([each, box]) => box.height < 23.5 || (box.width < 23.5 && !each.matches('.number')))
          .map(([each, box]) => `${each.innerText || each.id || each.ariaLabel} ${box.width} x ${box.height}`)"""
    )
    assert not small, small
