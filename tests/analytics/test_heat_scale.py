from dataclasses import replace

import numpy as np
import pytest
from analytics_maps import AS_OF_NS, MINUTE_NS, law, make_inputs
from hypothesis import given
from hypothesis import strategies as st

from liqscape.errors import BadArgument, NoData
from liqscape.model import PriceKind
from liqscape.model.heat_scale import choose_scale, classify, part_of, scale_between
from liqscape.model.maps import Heatmap, Reading


def heatmap(cells: np.ndarray) -> Heatmap:
    rows, columns = cells.shape
    prices = np.full(columns, 100.0)
    return Heatmap(
        asked="BTC",
        inputs=(make_inputs(),),
        as_of_ns=AS_OF_NS,
        computed_at_ns=AS_OF_NS,
        start_ns=AS_OF_NS - np.arange(columns, 0, -1) * 5 * MINUTE_NS,
        interval_ns=5 * MINUTE_NS,
        edge_price=np.exp(np.linspace(4.4, 4.8, rows + 1)),
        usd_per_permille=cells.astype(np.float32),
        prior_share=np.zeros((rows, columns), np.float32),
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        reading=Reading.PUBLISHED,
        model="test",
        simulated=False,
        price_kind=PriceKind.MARK,
    )


def test_the_scale_ends_on_the_round_dollar_above_the_percentile():
    cells = np.full((10, 10), np.nan)
    cells[0] = 0.0
    cells[1] = 3.2e6
    scale = choose_scale(heatmap(cells))
    assert scale.ceiling_usd == 5e6
    assert scale.floor_usd == 2e5
    assert scale.edges_usd == pytest.approx([2e5 * 25 ** (k / 7) for k in range(8)])


def test_assumption_does_not_count():
    cells = np.full((10, 10), 8e6)
    cells[:, :5] = 1.5e5
    share = np.full((10, 10), 1.0)
    share[:, :5] = 0.2
    assert choose_scale(replace(heatmap(cells), prior_share=share.astype(np.float32))).ceiling_usd == 2e5
    # Where nothing is data, assumption is what there is to be seen.
    nothing = replace(heatmap(cells), prior_share=np.ones((10, 10), np.float32))
    assert (part_of(nothing), choose_scale(nothing).ceiling_usd) == ("all", 1e7)


def test_a_round_dollar_is_its_own_ceiling():
    for dollars in (1e6, 2e6, 5e6, 0.5):
        assert choose_scale(heatmap(np.full((3, 3), dollars))).ceiling_usd == dollars


def test_the_percentile_leaves_out_the_few_brightest_cells():
    cells = np.ones((100, 100)) * 1e5
    cells[0, :5] = 1e9
    assert choose_scale(heatmap(cells)).ceiling_usd == 1e5
    assert choose_scale(heatmap(cells), percentile=100.0).ceiling_usd == 1e9


def test_classes_of_dollars():
    scale = scale_between(1.0, 128.0)  # edges 1, 2, 4 .. 128
    assert scale.edges_usd == pytest.approx((1, 2, 4, 8, 16, 32, 64, 128))
    assert classify([float("nan"), 0.0, 0.99, 1.0, 2.0, 100.0, 1e9], scale).tolist() == [-1, 0, 0, 1, 2, 7, 7]


def test_a_heatmap_without_dollars_has_no_scale():
    with pytest.raises(NoData, match="no cell"):
        choose_scale(heatmap(np.zeros((3, 3))))
    with pytest.raises(BadArgument, match="percentile"):
        choose_scale(heatmap(np.ones((3, 3))), percentile=0.0)
    with pytest.raises(BadArgument, match="floor"):
        scale_between(5.0, 5.0)


def test_one_bright_cell_in_a_large_dark_heatmap_is_found():
    cells = np.zeros((1000, 1000))
    cells[501, 503] = 4e4
    assert choose_scale(heatmap(cells)).ceiling_usd == 5e4


@law
@given(st.floats(1e-3, 1e12))
def test_edges_ascend_and_the_ceiling_holds_the_value(dollars: float):
    scale = choose_scale(heatmap(np.full((2, 2), dollars)))
    assert list(scale.edges_usd) == sorted(set(scale.edges_usd))
    assert len(scale.edges_usd) == 8
    assert dollars * (1 - 1e-5) <= scale.ceiling_usd <= 2.5 * dollars * (1 + 1e-5)
    assert scale.edges_usd[0] == float(f"{scale.edges_usd[0]:.0e}")
