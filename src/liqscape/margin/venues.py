"""The venues' rules by name: which formula, which fee in the trigger, from which page, how well known.

Most venues are the tiered formula with their own closing fee. Formulas of their own live beside this file (`binance`, `bybit`,
`hyperliquid`, `phemex`, `deribit`), tables of other forms in `ladders`.
"""

from __future__ import annotations

from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.margin._checks import require_positive
from liqscape.margin.phemex import phemex_position_balance_usd
from liqscape.margin.tiered import inverse_tiered_liquidation_price, tiered_liquidation_price
from liqscape.margin.tiers import Evidence, TierTable
from liqscape.model.sides import ContractKind, PositionSide

READ = "2026-11-21"  # when the pages below were read


class VenueRule(Struct, frozen=True, kw_only=True):
    """How one venue liquidates one kind of contract.

    Parameters
    ----------
    venue, contract_kind
        The key.
    formula
        The rule in one line.
    closing_fee_rate
        Fee counted in the trigger, fraction; None: the taker fee counts, but it is not known here and must be given.
    by_tiers
        False: maintenance is no table, the rule has functions of its own.
    source
        Page or code the rule comes from.
    date
        The page's own date where it has one, else the day it was read.
    evidence
        How well the rule is known.
    """

    venue: str
    contract_kind: ContractKind
    formula: str
    closing_fee_rate: float | None
    source: str
    evidence: Evidence
    by_tiers: bool = True
    date: str = READ


_BINANCE_FAQ = "https://www.binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93"
_FREQTRADE = "freqtrade exchange/exchange.py (generic class)"
_GATE = "https://www.gatenode.pro/post/status/3870211 (support reply) and freqtrade exchange/gate.py"
_DERIBIT = "https://support.deribit.com/hc/en-us/articles/25944738177565"
_SUMMARY = "summary of the public API; no page kept"
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE
_UNVERIFIED = Evidence.UNVERIFIED


def _rule(
    venue: str, kind: ContractKind, formula: str, fee: float | None, source: str = _SUMMARY, evidence: Evidence = _UNVERIFIED
) -> VenueRule:
    return VenueRule(venue=venue, contract_kind=kind, formula=formula, closing_fee_rate=fee, source=source, evidence=evidence)


_RULES = (
    _rule(
        "binance",
        _LINEAR,
        "(WB - TMM + UPNL + cum - s q E) / (q mmr - s q); brackets with deductions",
        0.0,
        _BINANCE_FAQ,
        Evidence.OFFICIAL,
    ),
    _rule(
        "binance",
        _INVERSE,
        "generic inverse; floors, caps and deductions in coin, N = contracts x contract size",
        0.0,
        "https://www.binance.com/en/support/faq/ceccfcfb4e3a45e3b48b0b1bb1a8ae46 (brackets; price computed)",
        Evidence.COMPUTED,
    ),
    _rule(
        "bybit",
        _LINEAR,
        "UTA isolated: generic linear, f = 0; classic: maintenance fixed at entry value",
        0.0,
        "help centre, UTA isolated linear (wording not read)",
    ),
    VenueRule(
        venue="bybit",
        contract_kind=_INVERSE,
        formula="UTA isolated: generic inverse, f = 0; classic: N / (PV + s (IM - MM))",
        closing_fee_rate=0.0,
        source="help centre, Liquidation Price (Inverse, UTA)",
        evidence=Evidence.OFFICIAL,
        date="2026-05-27",
    ),
    _rule("okx", _LINEAR, "(E - s M / q) / (1 - s (mmr + taker)); no deduction", 0.0005, _FREQTRADE, Evidence.THIRD_PARTY),
    _rule("okx", _INVERSE, "(1 + s (mmr + taker)) / (1 / E + s M / N); no deduction", 0.0005, _FREQTRADE, Evidence.THIRD_PARTY),
    _rule(
        "hyperliquid",
        _LINEAR,
        "price - s margin_available / size / (1 - l s); l = 1 / (2 max leverage)",
        0.0,
        "https://hyperliquid.gitbook.io/hyperliquid-docs/trading/liquidations",
        Evidence.OFFICIAL,
    ),
    _rule("gate", _LINEAR, "(E - s M / q) / (1 - s (mmr + taker)); deduction of the tier", 0.0005, _GATE, Evidence.THIRD_PARTY),
    _rule("gate", _INVERSE, "N E (1 + s (mmr + taker)) / (N + s M E)", 0.0005, _GATE, Evidence.THIRD_PARTY),
    _rule(
        "phemex",
        _LINEAR,
        "(OV - s (apb + D)) / ((1 - s (fee + mmr)) q); apb holds the closing fee",
        0.0006,
        "https://phemex.com/help-center/liq-price-for-USDTM",
        Evidence.OFFICIAL,
    ),
    VenueRule(
        venue="deribit",
        contract_kind=_INVERSE,
        formula="mmr = base + slope x size in coin; account level",
        closing_fee_rate=0.0,
        source=_DERIBIT,
        evidence=Evidence.OFFICIAL,
        by_tiers=False,
    ),
    VenueRule(
        venue="deribit",
        contract_kind=_LINEAR,
        formula="mmr = base + slope x size in coin; account level",
        closing_fee_rate=0.0,
        source=_DERIBIT,
        evidence=Evidence.OFFICIAL,
        by_tiers=False,
    ),
    _rule("bitget", _LINEAR, "generic linear, f = taker; deductions of the recurrence, or none", 0.0006),
    _rule("htx", _LINEAR, "generic linear, mmr = adjust factor / leverage, no deduction", 0.0),
    _rule("mexc", _LINEAR, "generic linear, f = taker; mmr grows by steps, no deduction", None),
    _rule("bitmex", _LINEAR, "generic linear, f = taker; maintMargin grows by riskStep", None),
    _rule("bitmex", _INVERSE, "generic inverse, f = taker; maintMargin grows by riskStep", None),
    _rule("kraken", _LINEAR, "generic linear, portfolio level with haircuts", 0.0),
    _rule("dydx", _LINEAR, "generic linear, no deduction; subaccount cross, oracle price", 0.0),
    _rule("kucoin", _LINEAR, "generic linear, f = taker; public risk limits", None),
    _rule("bingx", _LINEAR, "generic linear, f = taker", None),
)
VENUE_RULES: dict[tuple[str, ContractKind], VenueRule] = {(rule.venue, rule.contract_kind): rule for rule in _RULES}


def venue_rule(venue: str, contract_kind: ContractKind) -> VenueRule:
    """Return a venue's rule for one kind of contract.

    Parameters
    ----------
    venue
        Lower-case name, such as `gate`.
    contract_kind
        Linear or inverse.

    Raises
    ------
    BadArgument
        If no rule is kept for the pair.

    Examples
    --------
    >>> venue_rule("okx", ContractKind.LINEAR).closing_fee_rate
    0.0005
    """
    rule = VENUE_RULES.get((venue, contract_kind))
    if rule is None:
        known = ", ".join(sorted(f"{name} {kind.value}" for name, kind in VENUE_RULES))
        raise BadArgument(
            f"margin: venue rule: expected one of {known}; received {venue!r} {contract_kind.value}.",
            hint="Use tiered_liquidation_price or inverse_tiered_liquidation_price with the venue's tiers and fee.",
        )
    return rule


def venue_liquidation_price(
    venue: str,
    *,
    entry_price: float,
    leverage: float,
    position_side: PositionSide,
    quantity_base: float,
    tiers: TierTable,
    closing_fee_rate: float | None = None,
) -> float | None:
    """Return the liquidation price of a linear position that a venue opened with isolated initial margin.

    Parameters
    ----------
    venue
        Lower-case name, such as `gate`.
    entry_price, quantity_base, position_side
        The position, quote per base and base.
    leverage
        Notional / initial margin.
    tiers
        Maintenance table of the instrument, with deductions or without, as the venue has it.
    closing_fee_rate
        Fee counted in the trigger; None takes the venue's.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates.

    Raises
    ------
    BadArgument
        If the venue is not known, its taker fee is needed and not given, or its maintenance is no table.

    Examples
    --------
    >>> from liqscape.margin.defaults import AssetClass, default_tiers
    >>> tiers = default_tiers("okx", AssetClass.BTC)
    >>> price = venue_liquidation_price(
    ...     "okx", entry_price=50_000.0, leverage=10, position_side=PositionSide.LONG, quantity_base=0.1, tiers=tiers
    ... )
    >>> round(price, 2)   # 45,000 / (1 - 0.4 % - 0.05 %)
    45203.42
    """
    fee = _fee(venue_rule(venue, ContractKind.LINEAR), closing_fee_rate)
    require_positive(entry_price=entry_price, quantity_base=quantity_base, leverage=leverage)
    margin = quantity_base * entry_price / leverage
    if venue == "phemex":
        margin = phemex_position_balance_usd(
            entry_price=entry_price,
            quantity_base=quantity_base,
            leverage=leverage,
            position_side=position_side,
            closing_fee_rate=fee,
        )
    return tiered_liquidation_price(
        entry_price=entry_price,
        quantity_base=quantity_base,
        position_side=position_side,
        tiers=tiers,
        margin_usd=margin,
        closing_fee_rate=fee,
    )


def venue_inverse_liquidation_price(
    venue: str,
    *,
    entry_price: float,
    leverage: float,
    position_side: PositionSide,
    notional_usd: float,
    tiers: TierTable,
    closing_fee_rate: float | None = None,
) -> float | None:
    """Return the liquidation price of an inverse position that a venue opened with isolated initial margin.

    Parameters
    ----------
    venue, entry_price, leverage, position_side, closing_fee_rate
        As for `venue_liquidation_price`, USD per coin.
    notional_usd
        Contracts x contract size, USD.
    tiers
        Floors and deductions in coin.

    Returns
    -------
    float or None
        USD per coin; None if no price liquidates.

    Raises
    ------
    BadArgument
        As for `venue_liquidation_price`.
    """
    return inverse_tiered_liquidation_price(
        entry_price=entry_price,
        notional_usd=notional_usd,
        position_side=position_side,
        tiers=tiers,
        leverage=leverage,
        closing_fee_rate=_fee(venue_rule(venue, ContractKind.INVERSE), closing_fee_rate),
    )


def _fee(rule: VenueRule, closing_fee_rate: float | None) -> float:
    if not rule.by_tiers:
        raise BadArgument(
            f"margin: {rule.venue}: maintenance is no tier table ({rule.formula}).",
            hint=f"Use {rule.venue}_{rule.contract_kind.value}_liquidation_price.",
        )
    fee = rule.closing_fee_rate if closing_fee_rate is None else closing_fee_rate
    if fee is None:
        raise BadArgument(
            f"margin: {rule.venue}: closing_fee_rate: expected the taker fee, which this venue counts; received None.",
            hint="Give closing_fee_rate as a fraction, such as 0.0005.",
        )
    return fee
