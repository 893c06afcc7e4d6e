import time
from dataclasses import replace

import numpy as np
import pytest
from plot_scenes import make_heatmap
from test_plot_map import TALL, WIDE, assert_tidy, gids, words

from liqscape.errors import BadArgument, NoData
from liqscape.model.heat_scale import scale_between
from liqscape.plot import LiquidationDots, plot_heatmap, save
from liqscape.plot.candles import candles_of
from liqscape.plot.raster import paint, rasterise, shades_of
from liqscape.plot.theme import DARK, LIGHT
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

SCALE = (1e4, 1e8)
BORDERS = np.asarray(scale_between(*SCALE).edges_usd)


def tiny(usd, prior=None):
    """A heatmap of the given cells, float[rows, columns]; the price stays far below it."""
    grid = np.asarray(usd, np.float32)
    scene = make_heatmap(columns=grid.shape[1], rows=grid.shape[0])
    flat = np.full(grid.shape[1], 100.0)
    return replace(
        scene,
        edge_price=np.geomspace(200.0, 210.0, grid.shape[0] + 1),
        usd_per_permille=grid,
        prior_share=np.zeros_like(grid) if prior is None else np.asarray(prior, np.float32),
        open=flat,
        high=flat,
        low=flat,
        close=flat,
    )


def test_a_pixel_shows_its_largest_cell():
    raster, _, _ = rasterise(tiny([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 0.0, np.nan]]), 2, 1)
    # Columns 0-1 and 2-3 share a pixel each, both rows one: the largest are 6 and 4.
    assert raster.usd.tolist() == [[6.0, 4.0]]


def test_a_cell_larger_than_a_pixel_is_repeated():
    raster, _, _ = rasterise(tiny([[1.0, np.nan], [3.0, 4.0]]), 4, 4)
    assert np.nan_to_num(raster.usd, nan=-1.0).tolist() == [[1, 1, -1, -1], [1, 1, -1, -1], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_a_pixel_is_prior_if_its_largest_cell_is():
    # Of 90 dollars that are 90 % prior 9 are data: more than the 1 beside it.
    raster, _, _ = rasterise(tiny([[1.0, 90.0]], prior=[[0.0, 0.9]]), 1, 1)
    assert raster.prior.tolist() == [[True]]
    assert raster.usd == pytest.approx(np.array([[9.0]]))
    raster, _, _ = rasterise(tiny([[9.0, 1.0]], prior=[[0.0, 0.9]]), 1, 1)
    assert raster.prior.tolist() == [[False]]


def test_colours_are_data_and_lines_alone_are_assumption():
    many = 64
    raster, _, _ = rasterise(tiny([[1e7, 1e6]], prior=[[1.0, 0.2]]), 2 * many, many)
    image = paint(raster, BORDERS, DARK, 1)
    lined, data = image[:, :many], image[:, many:]
    assert 0.0 < (lined[..., 3] == 255).mean() < 0.2
    assert (data == data[0, 0]).all()
    assert (shades_of(np.array([0.8e6]), BORDERS, DARK)[0] * 255.0 + 0.5).astype(int) == pytest.approx(data[0, 0, :3], abs=2)


def test_where_nothing_is_data_all_dollars_have_their_colour_under_lines():
    raster, _, _ = rasterise(tiny([[1e7, 1e6]], prior=[[1.0, 1.0]]), 64, 32)
    assert raster.part == "all"
    assert raster.usd.max() == 1e7
    assert (paint(raster, BORDERS, DARK, 1)[..., 3] == 255).all()


def test_a_missing_stretch_of_time_is_a_gap():
    scene = tiny([[1.0, 2.0]])
    later = replace(scene, start_ns=scene.start_ns + np.array([0, 2 * scene.interval_ns]))
    raster, _, _ = rasterise(later, 4, 1)
    assert np.nan_to_num(raster.usd, nan=-1.0).tolist() == [[1.0, -1.0, -1.0, 2.0]]
    assert raster.empty_columns.tolist() == [False, True, True, False]


def test_a_band_ends_where_the_price_swept_it():
    scene = tiny([[5.0, 5.0, 0.0, 0.0], [5.0, 5.0, 5.0, 0.0]])
    # The third bar touches the lower row only; the upper row fades later without a touch.
    touching = scene.edge_price[0] * 1.001
    raster, _, _ = rasterise(replace(scene, high=np.array([100.0, 100.0, touching, 100.0])), 4, 2)
    assert np.argwhere(raster.swept).tolist() == [[0, 1]]


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_more_dollars_are_always_farther_from_the_panel(theme):
    shades = shades_of(np.geomspace(*SCALE, 60), BORDERS, theme)
    lightness = shades @ np.array([0.2126, 0.7152, 0.0722])
    steps = np.diff(lightness) if theme.dark else -np.diff(lightness)
    assert (steps > -1e-3).all()


def test_the_same_dollars_have_the_same_colour_in_two_pictures():
    first, _, _ = rasterise(tiny([[1e6, 1e5]]), 2, 1)
    second, _, _ = rasterise(tiny([[9e7, 1e6], [1e4, 3e7]]), 2, 2)
    one, two = paint(first, BORDERS, DARK, 1), paint(second, BORDERS, DARK, 1)
    assert one[0, 0].tolist() == two[0, 1].tolist()
    assert one[0, 0].tolist() != one[0, 1].tolist()

    def colours(figure):
        return np.asarray(next(a for a in figure.findobj() if a.get_gid() == "heat").get_array())

    low, high = (plot_heatmap(tiny([[1e6, usd]]), scale=SCALE) for usd in (1e5, 9e7))
    assert (colours(low)[0, 0] == colours(high)[0, 0]).all()
    assert (colours(low)[0, -1] != colours(high)[0, -1]).any()


def test_below_the_scale_and_without_data_is_clear():
    raster, _, _ = rasterise(tiny([[1.0, np.nan, 1e6]]), 3, 1)
    assert paint(raster, BORDERS, DARK, 1)[0, :, 3].tolist() == [0, 0, 255]


def test_candles_join_to_round_lengths():
    scene = make_heatmap(columns=8_640, rows=8)
    candles = candles_of(scene, 250)
    assert candles.length_ns == 3 * NS_PER_HOUR  # 30 d / 250 = 2.9 h
    assert (candles.start_ns % (3 * NS_PER_HOUR) == 0).all()
    assert candles.high.max() == scene.high.max()
    assert candles.low.min() == scene.low.min()
    assert candles.open[0] == scene.open[0]
    assert candles.close[-1] == scene.close[-1]
    assert candles_of(make_heatmap(columns=100, rows=8), 250).length_ns == 5 * NS_PER_MINUTE


def test_the_strip_says_source_window_time_and_caveat():
    said = words(plot_heatmap(make_heatmap(columns=50), scale=SCALE, caption=["EXPIRES see map"]))
    for phrase in (
        "binance:BTCUSDT",
        "window 2025-12-01 to 2026-01-30 (60 d)",
        "as of 2026-01-30 22:55:00Z",
        "POTENTIAL Where forced orders would sit, not where price must go.",
        "EXPIRES see map",
        "$ of data per 0.1 % of price, fixed scale",
        "shorts above",
        "longs below",
        "$10K",
        "$100M+",
    ):
        assert phrase in said, phrase
    assert "SIMULATED" not in said


def test_simulated_is_stamped():
    figure = plot_heatmap(make_heatmap(columns=50, simulated=True))
    assert {"watermark", "badge-simulated"} <= gids(figure)


@pytest.mark.parametrize("prior", [True, False])
def test_hatched_only_where_there_is_prior(prior):
    figure = plot_heatmap(make_heatmap(prior=prior))
    assert ("lines: prior, little or no data" in words(figure)) is prior
    assert ("profile-prior-long" in gids(figure)) is prior


def test_a_gap_is_hatched_and_named():
    figure = plot_heatmap(make_heatmap(gap=slice(60, 75)))
    assert "gap" in gids(figure)
    assert "no data" in words(figure)
    assert "gap" not in gids(plot_heatmap(make_heatmap()))


@pytest.mark.parametrize("throttled", [True, False])
def test_dots_are_hollow_if_the_feed_is_throttled(throttled):
    scene = make_heatmap()
    dots = LiquidationDots(
        time_ns=scene.start_ns[[10, 20, 30]],
        price=scene.close[[10, 20, 30]],
        usd=np.array([1e6, 2e5, 3e4]),
        long=np.array([True, False, True]),
        throttled=throttled,
    )
    figure = plot_heatmap(scene, liquidations=dots)
    assert {"dots-long", "dots-short"} <= gids(figure)
    longs = next(a for a in figure.findobj() if a.get_gid() == "dots-long")
    assert (len(longs.get_facecolor()) == 0) is throttled
    assert ("longs liquidated (lower bound)" in words(figure)) is throttled


@pytest.mark.parametrize(("size", "dark"), [(WIDE, True), (TALL, False), ((2400, 1350), False), ((800, 800), True)])
def test_no_label_overlaps_another(size, dark):
    scene = make_heatmap(gap=slice(60, 75), simulated=True)
    dots = LiquidationDots(scene.start_ns[:1], scene.close[:1], np.array([1e6]), np.array([True]), True)
    assert_tidy(plot_heatmap(scene, liquidations=dots, size=size, dark=dark))


@pytest.mark.parametrize("price", [0.0000123, 0.0123, 1.0, 12_345_678.0])
def test_any_price(price):
    assert_tidy(plot_heatmap(make_heatmap(columns=60, start_price=price), size=TALL))


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_few_columns(columns):
    assert_tidy(plot_heatmap(make_heatmap(columns=columns, rows=5)))


def test_nothing_known_renders():
    assert_tidy(plot_heatmap(make_heatmap(columns=20, gap=slice(0, 20))))
    scene = make_heatmap(columns=20)
    assert_tidy(plot_heatmap(replace(scene, usd_per_permille=np.zeros_like(scene.usd_per_permille), inputs=())))
    none = np.empty(0)
    nothing = LiquidationDots(none.astype(np.int64), none, none, none.astype(bool), True)
    assert_tidy(plot_heatmap(scene, liquidations=nothing))


def test_no_columns_is_no_data():
    scene = make_heatmap(columns=2)
    empty = {name: getattr(scene, name)[:0] for name in ("start_ns", "open", "high", "low", "close")}
    with pytest.raises(NoData):
        plot_heatmap(replace(scene, **empty, usd_per_permille=scene.usd_per_permille[:, :0]))


@pytest.mark.parametrize("scale", [(0.0, 1.0), (2.0, 1.0), (1.0, float("inf")), (float("nan"), 1.0)])
def test_a_bad_scale_is_refused(scale):
    with pytest.raises(BadArgument, match="scale"):
        plot_heatmap(make_heatmap(columns=5), scale=scale)


def test_a_month_of_five_minutes_is_quick(tmp_path):
    scene = make_heatmap(columns=8_640, rows=1_000)
    plot_heatmap(make_heatmap(columns=5))  # fonts are loaded once per process
    start = time.process_time()  # of this process: another one that works beside it changes nothing
    save(plot_heatmap(scene), tmp_path / "h.png")
    assert time.process_time() - start < 3.0
    assert save(plot_heatmap(scene, size=TALL), tmp_path / "h.svg").stat().st_size > 10_000
