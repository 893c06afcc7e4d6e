"""Hyperliquid's accounts into records. Pure.

Sources: https://hyperliquid.gitbook.io/hyperliquid-docs (info endpoint for perpetuals, liquidations), read 2026-11. The
leaderboard and `batchClearinghouseStates` are undocumented: known from third parties, so read with suspicion.
"""

from __future__ import annotations

import heapq
import re

import msgspec

from liqscape.errors import CorruptRecord
from liqscape.model import (
    AccountListing,
    AccountPosition,
    AccountState,
    Completeness,
    Liquidation,
    LiquidationPriceKind,
    MarginMode,
    PositionSide,
)
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.hyperliquid import payloads
from liqscape.venues.hyperliquid.parse import VENUE, known_coin
from liqscape.venues.wire import MS, Parsed

_STATE = wire.decoder(payloads.Clearinghouse)
_STATES = wire.decoder(list[payloads.Clearinghouse | None])
_LEADERBOARD = wire.decoder(payloads.Leaderboard)
_LEADER = wire.decoder(payloads.LeaderboardRow)
_VAULT = wire.decoder(payloads.VaultDetails)
_FILLS = wire.decoder(list[payloads.Fill])
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}


def address(text: str, what: str = "account") -> str:
    """Return an address in lower case."""
    found = text.lower()
    if not _ADDRESS.fullmatch(found):
        raise wire.corrupt(VENUE, what, "address", "0x and 40 hexadecimal digits", text)
    return found


def state(body: bytes, account: str, recv_ns: int) -> Parsed:
    """Read `clearinghouseState`, which does not repeat the address."""
    return wire.rows([wire.decode(_STATE, body, VENUE, "clearinghouseState")], lambda row: _state(row, account, recv_ns))


def states(body: bytes, accounts: tuple[str, ...], recv_ns: int) -> Parsed:
    """Read `batchClearinghouseStates`: as many as were asked for, in that order, without addresses.

    A list of another length is refused as a whole: nobody could say whose the states are.
    """
    found = wire.decode(_STATES, body, VENUE, "batchClearinghouseStates")
    if len(found) != len(accounts):
        raise wire.corrupt(VENUE, "batchClearinghouseStates", "list", f"{len(accounts)} states", len(found))
    pairs = [(row, account) for row, account in zip(found, accounts, strict=True) if row is not None]
    return wire.rows(pairs, lambda pair: _state(*pair, recv_ns))


def _state(row: payloads.Clearinghouse, account: str, recv_ns: int) -> AccountState:
    what = f"account {account[:10]}"
    time = wire.optional(row.time, VENUE, what, "time")
    return AccountState(
        venue=VENUE,
        account=account,
        ts_venue=recv_ns if time is None else wire.instant(time, MS, VENUE, what, "time"),
        ts_recv=recv_ns,
        cross_equity_usd=wire.finite(row.crossMarginSummary.accountValue, VENUE, what, "crossMarginSummary.accountValue"),
        cross_maintenance_usd=wire.optional(row.crossMaintenanceMarginUsed, VENUE, what, "crossMaintenanceMarginUsed"),
        positions=tuple(_position(each.position, what) for each in row.assetPositions if each.position.szi != 0.0),
    )


def _position(row: payloads.Position, what: str) -> AccountPosition:
    what = f"{what} {row.coin}"
    mode = _MODES.get(row.leverage.type)
    if mode is None:
        raise wire.corrupt(VENUE, what, "leverage.type", "cross or isolated", row.leverage.type)
    quantity = wire.finite(row.szi, VENUE, what, "szi")
    entry = wire.optional(row.entryPx, VENUE, what, "entryPx")
    if entry is None:
        raise wire.corrupt(VENUE, what, "entryPx", "a number > 0", row.entryPx)
    liquidation = wire.optional(row.liquidationPx, VENUE, what, "liquidationPx")
    highest = wire.optional(row.maxLeverage, VENUE, what, "maxLeverage")
    return AccountPosition(
        instrument=known_coin(row.coin),
        quantity_base=quantity,
        entry_price=wire.positive(entry, VENUE, what, "entryPx"),
        mark_price=wire.positive(
            wire.finite(row.positionValue, VENUE, what, "positionValue") / abs(quantity), VENUE, what, "mark"
        ),
        margin_mode=mode,
        margin_usd=wire.finite(row.marginUsed, VENUE, what, "marginUsed"),
        max_leverage=None if highest is None else wire.positive(highest, VENUE, what, "maxLeverage"),
        # A level at or below nought is none: no positive price reaches it.
        liquidation_price=liquidation if liquidation is not None and liquidation > 0.0 else None,
    )


def leaderboard(body: bytes, most: int, recv_ns: int) -> Parsed:
    """Read the leaderboard (about 40 MB) and return the `most` largest accounts, by equity plus a day's volume.

    Rows are decoded one at a time and forgotten, so that the answer itself is the largest thing in memory. A bad row costs
    no other; only the first hundred bad ones are returned.
    """
    best: list[tuple[float, int, AccountListing]] = []
    wrong: list[CorruptRecord] = []
    for number, raw in enumerate(wire.decode(_LEADERBOARD, body, VENUE, "leaderboard").rows):
        try:
            row = wire.decode(_LEADER, bytes(raw), VENUE, "leaderboard")
            volume = next((window.vlm for name, window in row.windowPerformances if name == "day"), None)
            listing = AccountListing(
                venue=VENUE,
                account=address(row.ethAddress, "leaderboard"),
                ts_recv=recv_ns,
                equity_usd=wire.optional(row.accountValue, VENUE, "leaderboard", "accountValue"),
                volume_1d_usd=None if volume is None else wire.not_negative(volume, VENUE, "leaderboard", "vlm"),
            )
        except CorruptRecord as error:
            if len(wrong) < 100:
                wrong.append(error)
            continue
        entry = ((listing.equity_usd or 0.0) + (listing.volume_1d_usd or 0.0), -number, listing)
        if len(best) < most:
            heapq.heappush(best, entry)
        else:
            heapq.heappushpop(best, entry)
    return [*(listing for _, _, listing in sorted(best, reverse=True)), *wrong]


def vault_children(body: bytes, recv_ns: int) -> Parsed:
    """Read `vaultDetails`: the vault and the accounts that trade for it."""
    found = wire.decode(_VAULT, body, VENUE, "vaultDetails")
    related = (found.relationship.data or {}) if found.relationship else {}
    children: object = related.get("childAddresses") or []
    if not isinstance(children, list):
        raise wire.corrupt(VENUE, "vaultDetails", "childAddresses", "a list", children)
    names = [found.vaultAddress, *(str(each) for each in msgspec.convert(children, list[object]))]
    return wire.rows(names, lambda name: AccountListing(venue=VENUE, account=address(name, "vaultDetails"), ts_recv=recv_ns))


def fills(body: bytes, specs: Specs, user: str, recv_ns: int) -> Parsed:
    """Read the liquidations of `user` out of `userFills` or `userFillsByTime`.

    The mark of a liquidation stands on the fills of both sides: only fills whose `liquidatedUser` is the user count. One
    liquidation is several fills of one hash; they become one print at their average price. A user who sells (A) was long.
    """
    groups: dict[tuple[str, str], list[payloads.Fill]] = {}
    for row in wire.decode(_FILLS, body, VENUE, "userFills"):
        if row.liquidation is not None and row.liquidation.liquidatedUser.lower() == user.lower():
            groups.setdefault((row.coin, row.hash), []).append(row)

    def read(rows: list[payloads.Fill]) -> Liquidation | None:
        first = rows[0]
        spec, what = specs.get(first.coin.upper()), f"{first.coin} fill"
        if spec is None:
            return None
        if {row.side for row in rows} not in ({"A"}, {"B"}):
            raise wire.corrupt(VENUE, what, "side", "A or B, the same in all fills of one liquidation", first.side)
        size = sum(wire.positive(row.sz, VENUE, what, "sz") for row in rows)
        paid = sum(row.sz * wire.positive(row.px, VENUE, what, "px") for row in rows)
        return Liquidation(
            instrument=spec.id,
            position_side=PositionSide.LONG if first.side == "A" else PositionSide.SHORT,
            price=wire.positive(paid / size, VENUE, what, "px"),
            price_kind=LiquidationPriceKind.AVERAGE_FILL,
            quantity_base=wire.positive(size, VENUE, what, "sz"),
            completeness=Completeness.UNKNOWN,
            ts_venue=min(wire.instant(row.time, MS, VENUE, what, "time") for row in rows),
            ts_recv=recv_ns,
        )

    # The wire begins with the newest.
    prints = wire.rows(list(groups.values()), read)
    return sorted(prints, key=lambda row: row.ts_venue if isinstance(row, Liquidation) else 0)
