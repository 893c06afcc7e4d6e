"""What an answer weighs on the real market, and that what was left out of it to be light changes nothing that is said."""

import re
from pathlib import Path

import numpy as np
import pytest
from served import Asker

from liqscape.api.frames import LEVEL_DIGITS, frame, rounded, told_levels
from liqscape.clock import parse_instant
from liqscape.engine.importer import import_paths
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace

PACK = Path(__file__).parents[3] / "shared" / "data" / "btcusdt_backtest"
PUBLIC = "2026-01-30T22:55Z"
MAP_BYTES = 30_000  # ux.md 4.4


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Ask a server of the real BTCUSDT."""
    if not PACK.is_dir():
        pytest.skip(f"no data pack at {PACK}")
    workspace = Workspace(tmp_path_factory.mktemp("weight"))
    import_paths(workspace.store, [PACK])
    asker = Asker(workspace.home)
    yield asker, workspace
    asker.close()


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_the_real_map_is_light(real, encoding):
    asker, _ = real
    path = f"/api/v1/BTC/map?as_of={PUBLIC}"
    answer = asker(path, accept_encoding=encoding)
    assert answer.headers["content-encoding"] == encoding
    assert len(answer.json()["data"]["levels"]) == 1000
    assert int(answer.headers["content-length"]) < MAP_BYTES


def test_the_real_levels_still_sum_to_the_pools(real):
    asker, workspace = real
    told = asker(f"/api/v1/BTC/map?as_of={PUBLIC}").json()["data"]
    exact = build_map(workspace, "BTC", as_of_ns=parse_instant(PUBLIC))
    rows = frame(exact).to_dicts()
    for name in ("long_usd", "short_usd", "long_base", "short_base", "prior_usd", "measured_usd"):
        mine, theirs = (np.array([row[name] for row in levels]) for levels in (told["levels"], rows))
        np.testing.assert_allclose(mine, theirs, rtol=0.5 * 10.0 ** (1 - LEVEL_DIGITS), atol=0.0)
        np.testing.assert_array_equal(mine == 0.0, theirs == 0.0)
    for side in ("short", "long"):
        for reach, pool in (("within", f"{side}_pool_usd"), ("reach", f"{side}_reach_usd")):
            inside = sum(row[f"{side}_usd"] for row in told["levels"] if abs(row["distance"]) < told["totals"][reach])
            assert inside == pytest.approx(told["totals"][pool]["median"], rel=5e-6)


def test_levels_are_written_short_and_in_order(real):
    asker, workspace = real
    text = asker(f"/api/v1/BTC/map?as_of={PUBLIC}").text
    written = text[text.index('"levels":') :].split(',"meta"')[0]
    digits = [len(word.strip("0").replace(".", "")) for word in re.findall(r"[0-9.]{3,}", written)]
    assert max(digits) <= 9
    prices = [row["price"] for row in told_levels(build_map(workspace, "BTC"))]
    assert prices == sorted(set(prices))


def test_rounding_gives_the_number_that_is_written():
    values = np.concatenate((10.0 ** np.linspace(-9, 14, 5_000), -(10.0 ** np.linspace(-3, 3, 50)), [0.0, np.nan]))
    for digits in (2, 4, 6, 9):
        found = rounded(values, digits)
        written = np.array([float(f"{value:.{digits - 1}e}") for value in values])
        np.testing.assert_array_equal(found, written)
