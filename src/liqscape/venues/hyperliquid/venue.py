"""Hyperliquid: its addresses, limits, requests and streams. Everything is a POST to /info but the leaderboard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from liqscape.model import Completeness, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import NOTHING, Ask, Bucket, Doubt, Facts, Received, Request, Session, Specs, Stream, Venue, sockets
from liqscape.venues.hyperliquid import accounts, parse, payloads
from liqscape.venues.hyperliquid.parse import coin_of

_MS = 1_000_000
_HEAD = wire.decoder(payloads.Head)
_ERROR = wire.decoder(payloads.ErrorFrame)
# "1000 subscriptions" and "10 connections" per address (newer text; older: 100). Two topics a coin, two lines a stream.
_COINS_PER_STREAM = 125
_CANDLES, _FUNDING_ROWS = 5000, 500
BATCH = 25  # accounts of one batchClearinghouseStates; third parties report 25 to 50
# The vault that provides liquidity and the strategies known to trade for it: their positions are the venue's own.
LIQUIDITY_VAULT = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"
KNOWN_CHILDREN = ("0x2e3d94f0562703b25c83308a05046ddaf9a8dd14", "0xb0a55f13d22f66e6d495ac98113841b2326e9540")


class _Talk(Session):
    """Subscribes topic by topic, answers nothing, pings with a method."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        return [
            msgspec.json.encode({"method": "subscribe", "subscription": {"type": topic, "coin": coin_of(spec)}}).decode()
            for spec in self.specs.values()
            for topic in ("activeAssetCtx", "trades")
        ]

    def heartbeat(self) -> str:
        return '{"method":"ping"}'

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        channel = wire.decode(_HEAD, frame, parse.VENUE, "frame").channel
        if channel == "trades":
            return Received(parse.trades(frame, self.specs, recv_ns), data=True)
        if channel == "activeAssetCtx":
            return Received(parse.context(frame, self.specs, recv_ns), data=True)
        if channel == "error":
            words = wire.decode(_ERROR, frame, parse.VENUE, "error").data
            # A second subscription of the same topic is refused and harms nobody.
            return NOTHING if words.startswith("Already subscribed") else Received([], refused=words)
        return NOTHING


class Hyperliquid(Venue):
    """The venue's own perpetuals; those that others deploy (HIP-3, `xyz:AAPL`) have books and accounts apart."""

    def __init__(self) -> None:
        self.facts = Facts(
            key="hyperliquid",
            venue=parse.VENUE,
            title="Hyperliquid",
            completeness=Completeness.UNKNOWN,
            completeness_note=(
                "no public liquidation stream (the subscription is rejected, trades carry no mark); accounts are public instead,"
                " so that positions are measured"
            ),
            streams=frozenset({Kind.TICKERS, Kind.TRADES}),
            asks=frozenset({Kind.INSTRUMENTS, Kind.BARS, Kind.TICKERS, Kind.FUNDING, Kind.DEPTH, Kind.TIERS, Kind.POSITIONS}),
            hosts={
                "rest": "https://api.hyperliquid.xyz",
                "ws": "wss://api.hyperliquid.xyz",
                "stats": "https://stats-data.hyperliquid.xyz",
            },
            # Rate limits page: "REST requests share an aggregated weight limit of 1200 per minute" and address.
            # The statistics host publishes no limit: one page of 40 MB now and then is enough.
            buckets={"ip": Bucket(1200, 60), "stats": Bucket(4, 60)},
            history_ns={Kind.BARS: _CANDLES * NS_PER_MINUTE},
            page={Kind.BARS: _CANDLES, Kind.FUNDING: _FUNDING_ROWS},
            doubts=(
                Doubt("openInterest counts one side, in base units", "measured longs and shorts must each stay below it"),
                Doubt(
                    "batchClearinghouseStates exists and answers in the order of the request", "probed at the start, by content"
                ),
                Doubt("the leaderboard keeps its address and its fields", "the tracker says when it cannot be read"),
                Doubt("10 connections per address (older text: 100)", "a refused connection is tried again and named in health"),
                Doubt("candles of the last 5000 minutes only", "a backfill further back gets no rows and says so"),
                Doubt("a coin whose name begins with a small k counts a thousand of them", "its price against other venues'"),
            ),
        )

    def _info(self, name: str, kind: Kind, body: Mapping[str, object], parser: wire.Parser, weight: float = 20.0) -> Ask:
        request = Request(
            "rest",
            "/info",
            method="POST",
            body=msgspec.json.encode(body),
            headers={"content-type": "application/json"},
            costs=(("ip", weight),),
        )
        return Ask(name, kind, request, parser)

    def ask_instruments(self) -> list[Ask]:
        return [self._info("meta", Kind.INSTRUMENTS, {"type": "meta"}, parse.instruments)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask | None:
        """Candles of last prices; the weight grows by 1 for every 60. There are none of the mark."""
        if price_kind is PriceKind.MARK:
            return None
        request = {
            "coin": coin_of(spec),
            "interval": "1m",
            "startTime": start_ns // _MS,
            "endTime": end_ns // _MS - 1,
        }
        weight = 20.0 + math.ceil((end_ns - start_ns) / NS_PER_MINUTE / 60.0)
        return self._info(
            f"candleSnapshot {spec.id.symbol}",
            Kind.BARS,
            {"type": "candleSnapshot", "req": request},
            lambda b, t: parse.bars(b, spec, t),
            weight,
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        body = {"type": "metaAndAssetCtxs"}
        return [self._info("metaAndAssetCtxs", Kind.TICKERS, body, lambda b, t: parse.tickers(b, specs, t))]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        body = {"type": "fundingHistory", "coin": coin_of(spec), "startTime": start_ns // _MS, "endTime": end_ns // _MS - 1}
        rows = min(math.ceil((end_ns - start_ns) / NS_PER_HOUR), _FUNDING_ROWS)
        return self._info(
            f"fundingHistory {spec.id.symbol}",
            Kind.FUNDING,
            body,
            lambda b, t: parse.funding(b, spec, t),
            20.0 + math.ceil(rows / 20.0),
        )

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        """Two books of 20 levels: four significant figures near the price, three beyond what they reach."""

        def levels(figures: int, parser: wire.Parser) -> Ask:
            body = {"type": "l2Book", "coin": coin_of(spec), "nSigFigs": figures}
            return self._info(f"l2Book {spec.id.symbol}", Kind.DEPTH, body, parser, 2.0)

        def read_first(body: bytes, recv_ns: int) -> wire.Parsed:
            parse.book(body, spec, recv_ns)  # whether it is one; its levels are used with those of the second
            return []

        def beyond(finer: bytes) -> Ask:
            return levels(3, lambda b, t: parse.book(b, spec, t, finer))

        return replace(levels(4, read_first), more=beyond)

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        return [self._info("margin tables", Kind.TIERS, {"type": "meta"}, lambda b, t: parse.tiers(b, specs, t))]

    def ask_account(self, account: str) -> Ask:
        """Ask for one account -> AccountState."""
        body = {"type": "clearinghouseState", "user": account}
        return self._info(f"account {account}", Kind.POSITIONS, body, lambda b, t: accounts.state(b, account, t), 2.0)

    def ask_accounts(self, wanted: Sequence[str]) -> Ask:
        """Ask for up to `BATCH` accounts at once -> AccountState; undocumented, so probe it first."""
        chosen = tuple(wanted[:BATCH])
        body = {"type": "batchClearinghouseStates", "users": list(chosen)}
        return self._info(f"{len(chosen)} accounts", Kind.POSITIONS, body, lambda b, t: accounts.states(b, chosen, t), 20.0)

    def ask_leaderboard(self, most: int) -> Ask:
        """Ask for the largest accounts of the public list -> AccountListing."""
        request = Request("stats", "/Mainnet/leaderboard", costs=(("stats", 1.0),))
        return Ask("leaderboard", Kind.POSITIONS, request, lambda b, t: accounts.leaderboard(b, most, t))

    def ask_vault(self, vault: str = LIQUIDITY_VAULT) -> Ask:
        """Ask which accounts trade for a vault -> AccountListing, the vault first."""
        body = {"type": "vaultDetails", "vaultAddress": vault}
        return self._info(f"vault {vault}", Kind.POSITIONS, body, accounts.vault_children)

    def ask_fills(self, account: str, specs: Specs, start_ns: int, end_ns: int) -> Ask:
        """Ask for an account's own liquidations -> Liquidation; TWAP slices are left out by the venue. Weighed as 2000 fills."""
        body = {"type": "userFillsByTime", "user": account, "startTime": start_ns // _MS, "endTime": end_ns // _MS - 1}
        return self._info(
            f"fills {account}", Kind.POSITIONS, body, lambda b, t: accounts.fills(b, specs, account, t), 20.0 + 2000 / 20.0
        )

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            # "The server closes after 60 s of silence": a ping every 20 s. Contexts come several times a minute for every coin.
            return Stream(
                name=f"public-{number}",
                host="ws",
                path="/ws",
                session=lambda: _Talk(held),
                kinds=(Kind.TICKERS, Kind.TRADES),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=20.0,
                silence_s=45.0,
                data_silence_s=60.0,
                # 2000 messages a minute: 250 subscriptions in 10 s leave room for the other lines.
                pause_s=0.04,
            )

        return sockets(specs, _COINS_PER_STREAM, stream)
