"""Maintenance tables to use when a venue's own are out of reach, each marked with its source and how well it is known.

They are starting values: read the venue's table where it can be had. Linear contracts, floors in USD.
"""

from __future__ import annotations

from enum import StrEnum

from liqscape.errors import BadArgument
from liqscape.margin.hyperliquid import hyperliquid_tiers
from liqscape.margin.tiers import Evidence, TierTable, continuous_tiers, flat_tiers


class AssetClass(StrEnum):
    """How large the market of a coin is; tables are made per class."""

    BTC = "btc"
    ETH = "eth"
    MID_CAP = "mid_cap"
    SMALL = "small"


_DUMP = "leverage brackets of Binance USD-M, 2026-09"
_BINANCE_ROWS: dict[AssetClass, tuple[str, float, tuple[tuple[float, float], ...]]] = {
    AssetClass.BTC: (
        f"{_DUMP}: BTCUSDT",
        1.8e9,
        (
            (0, 0.004),
            (300e3, 0.005),
            (800e3, 0.0065),
            (3e6, 0.01),
            (12e6, 0.02),
            (70e6, 0.025),
            (100e6, 0.05),
            (230e6, 0.1),
            (480e6, 0.125),
            (600e6, 0.15),
            (800e6, 0.25),
            (1.2e9, 0.5),
        ),
    ),
    AssetClass.ETH: (
        f"{_DUMP}: ETHUSDT",
        1.2e9,
        (
            (0, 0.004),
            (300e3, 0.005),
            (800e3, 0.0065),
            (3e6, 0.01),
            (12e6, 0.02),
            (50e6, 0.025),
            (65e6, 0.05),
            (150e6, 0.1),
            (320e6, 0.125),
            (400e6, 0.15),
            (530e6, 0.25),
            (800e6, 0.5),
        ),
    ),
    AssetClass.MID_CAP: (
        f"{_DUMP}: SOLUSDT",
        4e8,
        (
            (0, 0.005),
            (50e3, 0.0065),
            (400e3, 0.01),
            (1e6, 0.02),
            (4e6, 0.025),
            (8e6, 0.05),
            (40e6, 0.1),
            (80e6, 0.125),
            (100e6, 0.25),
            (200e6, 0.5),
        ),
    ),
    # Small coins begin between 1 % and 2.5 %; this is the most common list of the dump (111 of 907 symbols).
    AssetClass.SMALL: (
        f"{_DUMP}: the most common list",
        12.5e6,
        (
            (0, 0.015),
            (5e3, 0.025),
            (10e3, 0.05),
            (20e3, 0.1),
            (50e3, 0.125),
            (250e3, 0.1667),
            (500e3, 0.25),
            (7.5e6, 0.5),
        ),
    ),
}


def _binance() -> dict[AssetClass, TierTable]:
    return {
        asset: continuous_tiers(rows, source=source, evidence=Evidence.THIRD_PARTY, known_to=known_to)
        for asset, (source, known_to, rows) in _BINANCE_ROWS.items()
    }


def _flat(source: str, btc: float, eth: float, mid_cap: float, small: float) -> dict[AssetClass, TierTable]:
    rates = {AssetClass.BTC: btc, AssetClass.ETH: eth, AssetClass.MID_CAP: mid_cap, AssetClass.SMALL: small}
    return {asset: flat_tiers(rate, source=source) for asset, rate in rates.items()}


def _bitget() -> dict[AssetClass, TierTable]:
    # Samples of the endpoint disagree on the first edge (50k and 150k); the lower one asks for more. No deduction is published:
    # that only the slice above an edge pays its rate is assumed here.
    tables = _flat("Bitget defaults, memory", 0.004, 0.005, 0.01, 0.02)
    tables[AssetClass.BTC] = continuous_tiers(
        [(0, 0.004), (50e3, 0.005)],
        source="Bitget position tiers, documentation samples of BTCUSDT",
        evidence=Evidence.THIRD_PARTY,
        known_to=200e3,
    )
    return tables


def _gate() -> dict[AssetClass, TierTable]:
    tables = _flat("Gate defaults, memory", 0.004, 0.005, 0.01, 0.01)
    tables[AssetClass.BTC] = continuous_tiers(
        [(0, 0.004)], source="Gate risk limit tiers, one sample of BTC_USDT", evidence=Evidence.THIRD_PARTY, known_to=1e6
    )
    tables[AssetClass.SMALL] = continuous_tiers(
        [(0, 0.01), (20e3, 0.013), (30e3, 0.015), (50e3, 0.02)],
        source="Gate risk_limit_tiers, documentation example ZTX_USDT (https://www.gate.io/docs/developers/apiv4/en/)",
        evidence=Evidence.OFFICIAL,
    )
    return tables


def _hyperliquid() -> dict[AssetClass, TierTable]:
    return {
        AssetClass.BTC: hyperliquid_tiers([(0, 40), (150e6, 20)]),
        AssetClass.ETH: hyperliquid_tiers([(0, 25), (100e6, 15)]),
        AssetClass.MID_CAP: hyperliquid_tiers([(0, 20), (70e6, 10)]),  # SOL
        AssetClass.SMALL: hyperliquid_tiers([(0, 10), (20e6, 5)]),  # the 20M group: DOGE, SUI, ...
    }


DEFAULT_TIERS: dict[str, dict[AssetClass, TierTable]] = {
    "binance": _binance(),
    "bybit": _flat("Bybit defaults, memory", 0.005, 0.005, 0.01, 0.02),
    "okx": _flat("OKX defaults, memory", 0.004, 0.004, 0.01, 0.02),
    "bitget": _bitget(),
    "gate": _gate(),
    "hyperliquid": _hyperliquid(),
}


def default_tiers(venue: str, asset_class: AssetClass) -> TierTable:
    """Return the maintenance table to use for a linear contract when the venue's own cannot be read.

    Parameters
    ----------
    venue
        Lower-case name, such as `binance`.
    asset_class
        Size class of the coin.

    Returns
    -------
    TierTable
        With its source and evidence; look at `evidence` before you trust it.

    Raises
    ------
    BadArgument
        If no defaults are kept for the venue.

    Examples
    --------
    >>> default_tiers("binance", AssetClass.BTC).tiers[0].maintenance_margin_rate
    0.004
    >>> default_tiers("okx", AssetClass.BTC).evidence
    <Evidence.UNVERIFIED: 'unverified'>
    """
    if venue not in DEFAULT_TIERS:
        raise BadArgument(
            f"margin: default tiers: expected one of {', '.join(sorted(DEFAULT_TIERS))}, received {venue!r}.",
            hint="Give the venue's own tiers with continuous_tiers or whole_position_tiers.",
        )
    return DEFAULT_TIERS[venue][asset_class]
