"""How venues close positions and what the market does with the orders: the rules and constants of a simulation in time."""

from __future__ import annotations

import math

from msgspec import Struct

from liqscape.cascade.base import Factor
from liqscape.errors import BadArgument


class ForcedVenue(Struct, frozen=True, kw_only=True):
    """How one venue closes positions.

    Parameters
    ----------
    depth_share
        Share of the depth that stands here; the shares of all venues make 1.
    engine_usd_per_s
        Most that its engine sends in a second.
    first_step
        Share of a position that is closed at once; the rest is judged again after `cooldown_s`, and spared if the mark is back.
    bankruptcy_gap
        From liquidation to bankruptcy price, fraction of the mark: what is left of the margin.
    insurance_fund_usd
        None where it is not known: then it never runs out, and deleveraging cannot be judged.
    adl_drawdown
        Share of the fund that may be lost before winners are deleveraged; 1 is all of it.
    """

    name: str
    depth_share: float = 1.0
    engine_usd_per_s: float = math.inf
    first_step: float = 1.0
    cooldown_s: int = 0
    bankruptcy_gap: float = 0.005
    insurance_fund_usd: float | None = None
    adl_drawdown: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no venue does."""
        fund = math.inf if self.insurance_fund_usd is None else self.insurance_fund_usd
        fine = (
            0.0 < self.depth_share <= 1.0
            and self.engine_usd_per_s > 0.0
            and 0.0 < self.first_step <= 1.0
            and self.cooldown_s >= 0
            and (self.first_step == 1.0 or self.cooldown_s > 0)
            and self.bankruptcy_gap > 0.0
            and fund >= 0.0
            and 0.0 < self.adl_drawdown <= 1.0
        )
        if not fine:
            raise BadArgument(
                f"cascade: venue {self.name}: expected shares in (0, 1], rates and gaps > 0, and a cool-down "
                f"where a step is partial; received {self}.",
                hint="Leave a rule out to have its default.",
            )


# What is known of a venue's own way. Gaps are maintenance rates of a middling BTC position (`margin.default_tiers`).
_KNOWN: dict[str, dict[str, float | int]] = {
    "binance": {"bankruptcy_gap": 0.006},
    # Deleveraging begins when the fund has lost 30 % (Bybit API page adl-alert, read 2026-11-21).
    "bybit": {"bankruptcy_gap": 0.005, "adl_drawdown": 0.3},
    "okx": {"bankruptcy_gap": 0.004},
    # The book is tried until equity is 2/3 of maintenance (1.25 % at 40x); then the vault takes over. Of a large position 20 %
    # go first and the rest after 30 s; that three quarters of all dollars are in such positions is assumed.
    "hyperliquid": {"bankruptcy_gap": 0.0042, "first_step": 0.4, "cooldown_s": 30},
}


def forced_venue(name: str, *, depth_share: float = 1.0, insurance_fund_usd: float | None = None) -> ForcedVenue:
    """Return a venue with the rules that are known of it; the general defaults where none are.

    Examples
    --------
    >>> forced_venue("hyperliquid", depth_share=0.2).cooldown_s
    30
    """
    rules = _KNOWN.get(name, {})
    return ForcedVenue(
        name=name,
        depth_share=depth_share,
        insurance_fund_usd=insurance_fund_usd,
        bankruptcy_gap=float(rules.get("bankruptcy_gap", 0.005)),
        adl_drawdown=float(rules.get("adl_drawdown", 1.0)),
        first_step=float(rules.get("first_step", 1.0)),
        cooldown_s=int(rules.get("cooldown_s", 0)),
    )


class Physics(Struct, frozen=True, kw_only=True):
    """What the market does with orders; every number is drawn anew for each path.

    Parameters
    ----------
    permanent
        Share of an impact that stays.
    tau_s
        Time constant in which the rest fades, seconds.
    withdrawal
        Depth left is exp(-withdrawal x recent movement); movement is forgotten with time constant `memory_s`.
    inventory
        What makers bear before they withdraw further, in multiples of the depth within 1 %.
    arbitrage_s
        Time constant in which venues come together, seconds.
    """

    permanent: Factor = Factor(
        median=0.6, lo=0.45, hi=0.8, source="decay of metaorders to about two thirds", date="arXiv:1412.4503"
    )
    tau_s: Factor = Factor(median=30.0, lo=8.0, hi=115.0, source="assumed: 5-60 s calm, minutes in stress", date="2026-11-21")
    withdrawal: Factor = Factor(
        median=7.0,
        lo=2.8,
        hi=16.0,
        source="4-hour book: -20 % after falls and rises of 7 to 10 %; accounts of -90 % after -14 % on 10 October 2025",
        date="2024-11-13 .. 2025-11-14",
    )
    memory_s: Factor = Factor(median=60.0, lo=30.0, hi=120.0, source="assumed", date="2026-11-21")
    inventory: Factor = Factor(median=3.0, lo=1.5, hi=6.0, source="assumed", date="2026-11-21")
    arbitrage_s: float = 2.0
