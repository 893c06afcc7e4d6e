"""A small market of Hyperliquid, and rows of looks at invented accounts."""

from __future__ import annotations

from engine_scenes import market

from liqscape.store import Table
from liqscape.units import NS_PER_MINUTE

NAME = "hyperliquid:BTC"
FRAMES = market(3, instrument=NAME)
END = int(FRAMES[Table.BARS]["ts"][-1]) + 5 * NS_PER_MINUTE
MARK = float(FRAMES[Table.BARS]["close"][-1])
OPEN = float(FRAMES[Table.OPEN_INTEREST]["open_interest_base"][-1])


def look(account: str, quantity: float, level: float | None, age_ns: int = NS_PER_MINUTE, **changes) -> dict[str, object]:
    """One row: entered at the mark of the end, cross, looked at shortly before the end."""
    return {
        "instrument": NAME,
        "account": account,
        "ts": END - age_ns,
        "ts_recv": END - age_ns,
        "quantity_base": quantity,
        "entry_price": MARK,
        "mark_price": MARK,
        "liquidation_price": level,
        "margin_mode": "cross",
        "margin_usd": 1.0,
        "max_leverage": 40.0,
        "equity_usd": 1000.0,
        "source": "test",
    } | changes
