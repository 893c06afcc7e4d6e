import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from plot_scenes import make_heatmap, make_map

from liqscape.analytics.caveats import sentence
from liqscape.errors import BadArgument
from liqscape.model.maps import Outcome, Reading
from liqscape.plot import plot_heatmap, plot_map, save
from liqscape.plot.theme import DARK, LIGHT
from liqscape.plot.words import CAVEATS

WIDE, TALL = (1600, 900), (1080, 1350)


def texts(figure):
    return [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]


def words(figure):
    return " ".join(t.get_text() for t in texts(figure)).replace("\N{NO-BREAK SPACE}", " ")


def gids(figure):
    return {artist.get_gid() for artist in figure.findobj() if artist.get_gid()}


def assert_tidy(figure):
    """No label leaves the sheet and no two labels touch; the watermark lies behind and is exempt."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = []
    for text in texts(figure):
        if text.get_gid() == "watermark":
            continue
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y1 <= figure.bbox.y1 + 1, text
        boxes.append((text.get_text(), box))
    for (first, a), (second, b) in itertools.combinations(boxes, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(overlap) < 2.0, (first, second, overlap)


def test_the_strip_says_source_window_time_and_caveat():
    said = words(plot_map(make_map(), caption=["PRIOR 38 % of this number is assumption, not data."]))
    for phrase in (
        "binance:BTCUSDT",
        "throttled liquidations of binance, bybit, okx",
        "window 2025-12-01 to 2026-01-30 (60 d)",
        "as of 2026-01-30 22:55:00Z",
        "newest bar 60 s old",
        "dollars as published",
        "model L3.1",
        "on the map: 12.0 % of open longs, 10.0 % of open shorts",
        "Where forced orders would sit, not where price must go.",
        "No out-of-sample record yet.",
        "PRIOR 38 % of this number",
        "UNTESTED",
        "mark 84,178.9",
    ):
        assert phrase in said, phrase
    assert "SIMULATED" not in said


def test_the_headline_names_both_sides_and_the_distance():
    scene = make_map()
    figure = plot_map(scene, within=0.02)
    # 20 buckets of 0.1 % per side
    assert f"${scene.short.usd[:20].sum() / 1e6:.2f}M of shorts above" in words(figure)
    assert f"${scene.long.usd[:20].sum() / 1e6:.2f}M of longs below within 2 %" in words(figure)
    assert "my title" in words(plot_map(scene, headline="my title"))


def test_simulated_is_stamped():
    figure = plot_map(make_map(simulated=True))
    assert {"watermark", "badge-simulated"} <= gids(figure)
    assert words(figure).count("SIMULATED") >= 2
    assert "simulated market" in words(figure)


@pytest.mark.parametrize(("prior", "hatched"), [("none", False), ("some", True), ("all", True)])
def test_hatched_only_where_there_is_prior(prior, hatched):
    figure = plot_map(make_map(prior=prior))
    assert ({"prior-short", "prior-long"} <= gids(figure)) is hatched
    assert ("hatched: prior" in words(figure)) is hatched


def test_solid_and_hatched_add_up_to_the_bar():
    scene = make_map(prior="some")
    figure = plot_map(scene, within=0.05)
    parts = {a.get_gid(): a for a in figure.findobj() if a.get_gid() in ("data-short", "prior-short")}
    tops = [max(path.vertices[:, 1].max() for path in parts[gid].get_paths()) for gid in ("data-short", "prior-short")]
    assert tops[1] == pytest.approx(scene.short.usd[:50].max(), rel=1e-6)
    assert tops[0] < tops[1]


def test_shorts_lie_above_the_mark_and_longs_below():
    figure = plot_map(make_map())
    for gid, above in (("data-short", True), ("data-long", False)):
        collection = next(a for a in figure.findobj() if a.get_gid() == gid)
        x = np.concatenate([path.vertices[:, 0] for path in collection.get_paths()])
        assert ((x > 84_178.9) == above).all()


@pytest.mark.parametrize(("size", "dark"), [(WIDE, True), (TALL, False), ((2400, 1350), False), ((800, 800), True)])
def test_no_label_overlaps_another(size, dark):
    figure = plot_map(make_map(simulated=True), watch=[85_000, 85_100, 90_000, 95_000, 80_000], size=size, dark=dark)
    assert_tidy(figure)


@pytest.mark.parametrize(
    ("mark", "within"), [(0.0000123, 0.15), (0.0123, 0.004), (1.0, 0.0155), (84_178.9, 0.5), (12_345_678.0, 0.004)]
)
def test_any_price_and_distance(mark, within):
    assert_tidy(plot_map(make_map(mark=mark), within=within, watch=[mark * 1.002], size=TALL))


def test_edge_cases_render():
    empty = make_map(short_usd=0.0, long_usd=0.0)
    assert_tidy(plot_map(empty))
    assert_tidy(plot_map(make_map(short_usd=0.0)))
    assert_tidy(plot_map(replace(make_map(), inputs=(), outcome=Outcome.SHIPPED, filters={"side": "long"})))
    no_draws = replace(make_map().short, draws_usd=np.empty((0, 500)))
    assert "band-short" not in gids(plot_map(replace(make_map(), short=no_draws)))


def test_truth_is_an_outline():
    scene = make_map()
    truth = (scene.short.usd * 1.1, scene.long.usd * 0.9)
    assert {"truth-short", "truth-long"} <= gids(plot_map(scene, truth=truth))
    with pytest.raises(BadArgument, match="truth: expected 500"):
        plot_map(scene, truth=(truth[0][:10], truth[1]))


def test_estimated_true_dollars_say_their_share():
    scene = replace(make_map(), reading=Reading.TRUE, reported_share=(0.2, 0.1, 0.4))
    assert "dollars estimated true (published / 0.2 [0.1 to 0.4])" in words(plot_map(scene))


def test_a_level_outside_the_picture_is_named():
    assert "watch 100,000 lies outside" in words(plot_map(make_map(), within=0.05, watch=[100_000]))


@pytest.mark.parametrize("within", [0.0, -0.1, 0.6, float("nan")])
def test_a_bad_distance_is_refused(within):
    with pytest.raises(BadArgument, match="within"):
        plot_map(make_map(), within=within)


@pytest.mark.parametrize("size", [(10, 10), (6000, 500), (9000, 900)])
def test_a_bad_size_is_refused(size):
    with pytest.raises(BadArgument, match="picture size"):
        plot_map(make_map(), size=size)
    with pytest.raises(BadArgument, match="picture size"):
        plot_heatmap(make_heatmap(columns=5), size=size)


def test_files_are_whole_and_have_the_asked_size(tmp_path):
    from PIL import Image

    for size in (WIDE, TALL, (1601, 903)):
        with Image.open(save(plot_map(make_map(), size=size), tmp_path / "m.png")) as image:
            assert image.size == size
            assert "Where forced orders" in image.info["Description"]
    path = save(plot_map(make_map()), tmp_path / "m.SVG")
    assert path.read_text().lstrip().startswith("<?xml")
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []
    with pytest.raises(BadArgument, match=r"\.png or \.svg") as caught:
        save(plot_map(make_map()), tmp_path / "m.jpg")
    assert caught.value.hint
    with pytest.raises(BadArgument, match="no folder"):
        save(plot_map(make_map()), tmp_path / "none" / "m.png")


def test_pictures_may_be_made_in_threads(tmp_path):
    def make(number):
        return save(plot_map(make_map(seed=7)), tmp_path / f"{number}.png").read_bytes()

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(make, range(4)))) == 1


def test_pyplot_is_not_touched():
    import subprocess
    import sys

    code = "import liqscape.plot, sys; assert 'matplotlib.pyplot' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_contrast(theme):
    # WCAG 2.2 AA: (lighter + 0.05) / (darker + 0.05), text 4.5, graphics 3
    def ratio(a, b):
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for ground in (theme.background, theme.panel):
        assert min(ratio(c, ground) for c in (theme.text, theme.muted, theme.amber)) >= 4.5
        assert min(ratio(c, ground) for c in (theme.short, theme.long, theme.mark)) >= 3.0
    assert ratio(theme.short, theme.long) != 1.0


def test_caveats_read_as_everywhere_else():
    assert {code: sentence(code) for code in CAVEATS} == CAVEATS
