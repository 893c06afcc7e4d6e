"""An invented venue on an in-memory transport: answers and sockets that do what a script says, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from liqscape.errors import CorruptRecord, Unreachable
from liqscape.model import (
    Completeness,
    ContractKind,
    InstrumentId,
    InstrumentSpec,
    Kind,
    Liquidation,
    LiquidationPriceKind,
    PositionSide,
)
from liqscape.venues.base import Ask, Bucket, Facts, Received, Request, Session, Specs, Stream, Venue
from liqscape.venues.wire import corrupt

SPEC = InstrumentSpec(
    id=InstrumentId("invented", "BTCUSDT"), base="BTC", quote="USDT", kind=ContractKind.LINEAR, contract_size=1.0
)


@dataclass(frozen=True)
class Answered:
    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


class Talk(Session):
    """`p<price>` is a print, `d` is data, `!` is corrupt, `no` refuses, anything else is an acknowledgement."""

    def opening(self):
        return ["subscribe"]

    def receive(self, frame, recv_ns):
        if frame == "no":
            return Received([], refused="no such topic")
        if frame == "!":
            raise corrupt("invented", "frame", "frame", "sense", frame)
        if frame == "ping?":
            return Received([], reply="pong!")
        if frame.startswith("p"):
            return Received([printed(float(frame[1:]), recv_ns)], data=True)
        return Received([], data=frame == "d")


def printed(price: float, recv_ns: int) -> Liquidation:
    return Liquidation(
        instrument=SPEC.id,
        position_side=PositionSide.LONG,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=1.0,
        completeness=Completeness.ALL,
        ts_venue=recv_ns,
        ts_recv=recv_ns,
    )


class Invented(Venue):
    def __init__(self, *, data_silence_s: float | None = 10.0, capacity: float = 100.0):
        self.data_silence_s = data_silence_s
        self.facts = Facts(
            key="invented",
            venue="invented",
            title="Invented",
            completeness=Completeness.ALL,
            completeness_note="",
            streams=frozenset({Kind.LIQUIDATIONS}),
            asks=frozenset({Kind.INSTRUMENTS}),
            hosts={"rest": "http://invented", "ws": "ws://invented"},
            buckets={"ip": Bucket(capacity, 10.0)},
            ban_s=90.0,
        )

    def ask(self, name: str = "things", parse=None, more=None) -> Ask:
        def read(body: bytes, recv_ns: int):
            if body.startswith(b"{cut"):
                raise corrupt("invented", "things", "frame", "whole", body)
            return [CorruptRecord("row") if part == b"!" else SPEC for part in body.split()]

        return Ask(name, Kind.INSTRUMENTS, Request("rest", "/things", {"q": name}, costs=(("ip", 1.0),)), parse or read, more)

    def ask_instruments(self):
        return [self.ask()]

    def ask_bars(self, spec, price_kind, start_ns, end_ns):
        return None

    def streams(self, specs: Specs):
        return [
            Stream(
                name="prints",
                host="ws",
                path="/stream",
                session=Talk,
                kinds=(Kind.LIQUIDATIONS,),
                instruments=(SPEC.id,),
                heartbeat_s=15.0,
                silence_s=40.0,
                data_silence_s=self.data_silence_s,
            )
        ]


class Wire:
    """One scripted connection: `script(wire)` runs as its server; `say` sends a frame, `cut` loses the connection."""

    def __init__(self, script: Callable[[Wire], object]):
        self.frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.said: list[str] = []
        self.pongs = True
        self.closed = False
        self.task = asyncio.ensure_future(script(self))

    def say(self, frame: str):
        self.frames.put_nowait(frame)

    def cut(self):
        self.frames.put_nowait(None)

    async def send(self, message):
        self.said.append(message)

    async def receive(self):
        frame = await self.frames.get()
        if frame is None:
            raise Unreachable("cut")
        return frame

    async def ping(self):
        if not self.pongs:
            await asyncio.sleep(1e9)
        await asyncio.sleep(0.05)

    async def close(self):
        self.closed = True
        self.task.cancel()


class ScriptedTransport:
    """Answers from a list; connections from scripts, the last one again and again."""

    def __init__(self, answers=(), scripts=(), delay_s: float = 0.1):
        self.answers, self.scripts, self.delay_s = list(answers), list(scripts), delay_s
        self.asked: list[float] = []
        self.wires: list[Wire] = []

    async def request(self, method, url, *, params, headers, body, timeout_s):
        self.asked.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.delay_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def connect(self, url, *, timeout_s):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if isinstance(script, Exception):
            raise script
        self.wires.append(Wire(script))
        return self.wires[-1]

    async def close(self):
        pass
