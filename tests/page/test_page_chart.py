"""The chart under the hand: colours are data, wheel and drags do what the help says, and what is left out is not nought."""

import re

import pytest
from page_watch import PHONE

_VIEW = """() => {
  const chart = liqscapeChart.chart, times = chart.timeScale().getVisibleLogicalRange();
  const prices = chart.priceScale('right').getVisibleRange();
  return { times: [times.from, times.to], prices: [prices.from, prices.to],
           axis: [liqscapeStore.axis.low, liqscapeStore.axis.high], pin: liqscapeStore.view.pin };
}"""

# How many pixels of the plot have another colour once assumption is hidden, and how many of those are then not the bare ground.
_HIDDEN = """async () => {
  const pixels = () => {
    const canvas = liqscapeChart.chart.takeScreenshot(false);
    return new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  };
  const settled = () => new Promise((done) => setTimeout(done, 400));
  const before = pixels();
  liqscapeStore.go({ hidden: [...liqscapeStore.view.hidden, 'prior'] });
  await settled();
  const after = pixels();
  const hex = liqscapeChart.primitive.scene.inks.ground;
  const ground = (parseInt(hex.slice(5, 7), 16) << 16 | parseInt(hex.slice(3, 5), 16) << 8 | parseInt(hex.slice(1, 3), 16)) >>> 0;
  let other = 0, coloured = 0;
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    other++;
    if ((after[i] & 0xffffff) !== ground) coloured++;
  }
  return { other, coloured, all: before.length };
}"""


@pytest.fixture
def chart(visit, past):
    page = visit(f"/BTC?as_of={past}&bench=1&hide=realised,mirror").ready()
    page.wait_for_function("() => liqscapeChart.heatGrid && !liqscapeChart.heatTiles.busy")
    return page


def view(page):
    page.wait_for_timeout(250)
    return page.evaluate(_VIEW)


def near(one, other):
    return all(abs(a - b) < 0.005 * abs(other[1] - other[0]) for a, b in zip(one, other, strict=True))


def test_assumption_is_hatched_and_hiding_it_changes_no_colour_of_data(chart):
    found = chart.evaluate(_HIDDEN)
    assert found["other"] > 0.002 * found["all"], found
    # The candles' edges lie over some of the lines.
    assert found["coloured"] < 0.02 * found["other"], found


def test_wheel_is_time_shift_is_price_a_double_click_fits_and_pins_nothing(chart):
    page, box = chart, chart.locator(".plot").bounding_box()
    x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"]
    first = view(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    nearer = view(page)
    assert nearer["times"][1] - nearer["times"][0] < 0.97 * (first["times"][1] - first["times"][0])
    page.mouse.dblclick(x, y)
    fitted = view(page)
    assert near(fitted["times"], first["times"])
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Shift")
    lower = view(page)
    assert near(lower["times"], first["times"])
    assert lower["prices"][1] - lower["prices"][0] < 0.97 * (first["prices"][1] - first["prices"][0])
    page.mouse.dblclick(x, y)
    again = view(page)
    assert near(again["prices"], first["prices"])
    assert near(again["axis"], first["axis"])  # the ladder's too
    assert again["pin"] is None
    page.mouse.click(x, y)
    page.wait_for_function("() => liqscapeStore.view.pin !== null")


def test_axes_are_dragged_and_double_clicked(chart):
    page, box = chart, chart.locator(".plot").bounding_box()
    first = view(page)

    def drag(x, y, by_x, by_y):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by_x, y + by_y, steps=6)
        page.mouse.up()
        return view(page)

    right, foot = box["x"] + box["width"] - 30, box["y"] + box["height"] - 8
    middle = box["y"] + 0.5 * box["height"]
    taller = drag(right, middle, 0, 100)
    assert taller["prices"][1] - taller["prices"][0] > 1.05 * (first["prices"][1] - first["prices"][0])
    page.mouse.dblclick(right, middle)
    assert near(view(page)["prices"], first["prices"])
    wider = drag(box["x"] + 0.4 * box["width"], foot, -120, 0)
    assert abs(wider["times"][1] - wider["times"][0] - first["times"][1] + first["times"][0]) > 1
    page.mouse.dblclick(box["x"] + 0.4 * box["width"], foot)
    assert near(view(page)["times"], first["times"])


def test_cells_print_their_dollars_when_there_is_room(chart):
    """The edges of letters have colours between those of cell and letter: nothing else has so many."""
    colours = """() => {
      const canvas = liqscapeChart.chart.takeScreenshot(false);
      const plot = canvas.getContext('2d').getImageData(0, 0, 0.8 * canvas.width, 0.9 * canvas.height);
      return new Set(new Uint32Array(plot.data.buffer)).size;
    }"""
    show = """(columns) => {
      const end = liqscapeChart.heatGrid.columns, mark = liqscapeStore.now.data.mark_price;
      liqscapeChart.chart.timeScale().setVisibleLogicalRange({ from: end - columns, to: end });
      liqscapeChart.chart.priceScale('right').setVisibleRange({ from: mark * 0.985, to: mark * 0.995 });
    }"""
    counts = []
    for columns in (60, 9):
        chart.evaluate(show, columns)
        chart.wait_for_timeout(600)
        counts.append(chart.evaluate(colours))
    assert counts[1] > counts[0] + 30, counts


def test_on_a_phone_the_mark_stands_in_the_middle_of_the_ladder(visit, past):
    page = visit(f"/BTC?as_of={past}&bench=1", **PHONE).ready()
    page.wait_for_function("() => liqscapeChart.heatGrid && liqscapeStore.map.data")
    page.wait_for_timeout(400)
    middle = """() => {
      const { axis, map, view } = liqscapeStore, mark = map.data.ladder.mark_price;
      return [axis.y(mark) / axis.height, (axis.high / mark - 1) / view.within];
    }"""
    place, reach = page.evaluate(middle)
    assert 0.47 < place < 0.53
    assert 1.0 < reach < 1.5
    page.get_by_role("tab", name="Heat").click()
    page.wait_for_timeout(400)
    assert page.evaluate(middle)[1] > 1.5


def test_what_a_filter_left_out_is_not_nought(visit, past):
    page = visit(f"/BTC?as_of={past}&side=long&bench=1").ready()
    page.locator("section[aria-label='Ladder'] tbody tr[data-side=short]").first.wait_for(state="attached")
    cells = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()))"
    rows = page.locator("section[aria-label='Ladder'] tbody tr").evaluate_all(cells)
    shorts, longs = ([row[2:] for row in rows if row[0] == side] for side in ("short", "long"))
    assert shorts
    assert all(row == ["–", "–", "–"] for row in shorts), shorts[:3]
    assert any(row[0].startswith("$") for row in longs)
    page.evaluate(
        "() => { liqscapeStore.cursor = { price: liqscapeStore.map.data.ladder.mark_price * 1.01, at: null, by: 'ladder' } }"
    )
    told = page.locator(".box").inner_text()
    assert re.search(r"shorts\s+–", told), told
    assert re.search(r"short : long\s+–", told), told
