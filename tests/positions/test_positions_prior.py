"""Followed accounts as a prior: what they are taken for, when they are too few, and that it is off unless asked for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from engine_scenes import market, stored

from liqscape.engine.maps import build_map
from liqscape.engine.positions.prior import measured_prior, recipes_of, stored_sample
from liqscape.engine.replay import read_tape
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

NAME = "hyperliquid:BTC"
FRAMES = market(4, instrument=NAME)
END = int(FRAMES[Table.BARS]["ts"][-1]) + 5 * NS_PER_MINUTE
MARK = float(FRAMES[Table.BARS]["close"][-1])


def crowd(count: int, distance: float) -> pl.DataFrame:
    """Accounts seen every hour of two days, half of them long, liquidated that far from entry; number 0 closes on the way."""
    rows = [
        {
            "instrument": NAME,
            "account": f"0x{i:040x}",
            "ts": END - k * NS_PER_HOUR,
            "ts_recv": END - k * NS_PER_HOUR,
            "quantity_base": 0.0 if i == 0 and k < 10 else 1.0 if i % 2 else -1.0,
            "entry_price": MARK,
            "mark_price": MARK,
            "liquidation_price": MARK * (1.0 - distance if i % 2 else 1.0 + distance),
            "margin_mode": "cross",
            "equity_usd": 1000.0,
        }
        for i in range(count)
        for k in range(48)
    ]
    return pl.DataFrame(rows)


def home(path, count: int, distance: float = 0.02, *, asked: bool = True):
    workspace = stored(path, FRAMES)
    workspace.store.append(Table.POSITIONS, crowd(count, distance), writer="test", batch=1)
    if asked:
        (path / "settings.toml").write_text("measured_prior = true\n", encoding="utf-8")
    return workspace


def tape_of(workspace):
    return read_tape(workspace, workspace.resolve(NAME)[0], None, 30 * NS_PER_DAY)


def test_a_sample_is_what_was_known_every_six_hours(tmp_path):
    workspace = home(tmp_path, 4)
    sample = stored_sample(workspace, tape_of(workspace), END)
    instants = np.unique(sample.ts_ns)
    assert instants.size == 8  # two days
    assert np.all((END - instants) % (6 * NS_PER_HOUR) == 0)
    assert (sample.sign[sample.ts_ns == END] == 0).sum() == 1  # seen, and holding nothing any more
    assert np.bincount(sample.account).tolist() == [8, 8, 8, 8]


def test_the_prior_leans_to_where_the_accounts_stand(tmp_path):
    near, far = (home(tmp_path / name, 150, d) for name, d in (("near", 0.02), ("far", 0.3)))
    priors = [measured_prior(workspace, tape_of(workspace), END) for workspace in (near, far)]
    assert all(prior is not None and prior.accounts == 150 for prior in priors)
    tiers = [prior.shape[0].reshape(24, -1).sum(axis=1) for prior in priors if prior is not None]
    assert tiers[0][:12].sum() / tiers[0].sum() > tiers[1][:12].sum() / tiers[1].sum() + 0.1


def test_too_few_accounts_are_no_population(tmp_path):
    workspace = home(tmp_path, 60)
    assert measured_prior(workspace, tape_of(workspace), END) is None
    assert recipes_of(workspace, tape_of(workspace), END) is None


def test_it_is_off_unless_asked_for_and_changes_the_map_if_it_is(tmp_path):
    off, on = home(tmp_path / "off", 150, asked=False), home(tmp_path / "on", 150)
    assert recipes_of(off, tape_of(off), END) is None
    maps = [build_map(workspace, NAME) for workspace in (off, on)]
    assert maps[1].model == f"{maps[0].model}+accounts"  # another model: the record of the first is not its own
    modelled = [found.long.usd - found.long.measured_usd for found in maps]
    assert not np.allclose(modelled[0], modelled[1], rtol=1e-3)
    assert maps[0].long.measured_usd.sum() == pytest.approx(maps[1].long.measured_usd.sum())
