"""Live topics: every reader gets the newest, nobody waits for anybody, and who may not listen does not."""

import asyncio
import contextlib
import json
import time

import pytest
from served import running
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from liqscape.server import hub as hubs
from liqscape.server.hub import _RESTLESS, _Reader
from liqscape.server.messages import writer


@pytest.fixture(scope="module")
def live(home):
    with running(home) as found:
        yield found


def listen(host, query, work, **options):
    """Run `work(socket)` over a connection to the stream."""

    async def run():
        async with connect(f"ws://{host}/api/v1/stream?{query}", **options) as socket:
            return await work(socket)

    return asyncio.run(asyncio.wait_for(run(), 20))


async def message(socket, topic=None):
    """Return the next text message (of a topic)."""
    while True:
        found = await asyncio.wait_for(socket.recv(), 10)
        if isinstance(found, str):
            found = json.loads(found)
            if topic in (None, found.get("topic")):
                return found


def test_a_topic_says_what_its_route_says(live, get):
    host, _ = live
    found = listen(host, "topics=now.BTC", lambda socket: message(socket, "now.BTC"))
    assert (found["kind"], found["topic"]) == ("snapshot", "now.BTC")
    theirs = get("/api/v1/BTC/now").json()
    assert found["data"]["data"] == theirs["data"]
    assert found["data"]["schema"] == "liqscape/now/1"
    assert found["as_of"] == theirs["meta"]["as_of"]
    assert found["seq"] > 1_600_000_000_000


def test_heat_comes_as_frames_and_begins_with_the_grid(live):
    host, _ = live

    async def work(socket):
        while isinstance(found := await asyncio.wait_for(socket.recv(), 15), str):
            assert json.loads(found)["topic"] == "heartbeat"
        return found

    for _ in range(2):  # the second reader joins a topic that others may have
        frame = listen(host, "topics=heat.BTC", work)
        assert isinstance(frame, bytes)
        assert frame[:4] == b"LQHD"
        assert frame[5] == 2


def test_who_says_what_it_has_seen_gets_only_what_is_newer(live):
    host, _ = live

    async def work(socket):
        first = await message(socket, "now.BTC")
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC&since={first['seq']}") as again:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(again.recv(), 0.7)
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC&since={first['seq'] - 1}") as older:
            assert (await message(older, "now.BTC"))["seq"] == first["seq"]

    listen(host, "topics=now.BTC", work)


TOPICS = ("map.BTC", "venues", "now.BTC", "health")


async def gather(socket, count, until=10.0):
    """Return so many messages that are no heartbeats."""
    found = []
    while len(found) < count:
        one = json.loads(await asyncio.wait_for(socket.recv(), until))
        if one["topic"] != "heartbeat":
            found.append(one)
    return found


async def silent(socket, seconds=0.7):
    """Assert that nothing but heartbeats comes."""
    with pytest.raises(TimeoutError):
        pytest.fail((await gather(socket, 1, seconds))[0]["topic"])


@pytest.mark.parametrize("cut", range(len(TOPICS) + 1))
def test_a_connection_cut_anywhere_goes_on_where_it_was(live, cut):
    """Whatever was seen before the cut: with the largest number as `since` the rest comes, once, and nothing that was seen."""
    host, _ = live
    topics = f"topics={','.join(TOPICS)}"

    async def work(first):
        before = await gather(first, len(TOPICS))  # all have said something, in any order
        assert [one["seq"] for one in before] == sorted(one["seq"] for one in before)
        async with connect(f"ws://{host}/api/v1/stream?{topics}") as again:
            seen = await gather(again, cut)
        assert [one["seq"] for one in seen] == sorted(one["seq"] for one in seen)
        since = max((one["seq"] for one in seen), default=0)
        async with connect(f"ws://{host}/api/v1/stream?{topics}&since={since}") as last:
            rest = await gather(last, len(TOPICS) - cut)
            await silent(last, 0.3)
        assert sorted(one["topic"] for one in seen + rest) == sorted(TOPICS)

    listen(host, topics, work)


def test_the_only_reader_comes_back_and_is_not_told_again(live):
    """Nobody else read the topics meanwhile: what they said last is still known, under the same number."""
    host, _ = live

    async def run():
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC,map.BTC") as first:
            seen = await gather(first, 2)
        await asyncio.sleep(0.3)
        since = max(one["seq"] for one in seen)
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC,map.BTC&since={since}") as again:
            await silent(again)
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC,map.BTC") as new:
            assert {one["topic"]: one["seq"] for one in await gather(new, 2)} == {one["topic"]: one["seq"] for one in seen}

    asyncio.run(asyncio.wait_for(run(), 20))


def test_what_came_while_nobody_read_is_told(live):
    host, app = live
    hub = app.state.server.hub

    async def run():
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC,map.BTC") as first:
            seen = await gather(first, 2)
        await asyncio.sleep(0.3)
        hub._resting["map.BTC"].same = b"as if it had been another state"
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC,map.BTC&since={max(o['seq'] for o in seen)}") as again:
            (news,) = await gather(again, 1)
            assert news["topic"] == "map.BTC"
            assert news["seq"] > max(one["seq"] for one in seen)
            await silent(again, 0.3)

    asyncio.run(asyncio.wait_for(run(), 20))


def test_who_comes_late_is_told_how_old_it_is(live):
    host, _ = live

    async def work(first):
        early = await message(first, "now.BTC")
        await asyncio.sleep(hubs.FRESH_S + 0.6)
        async with connect(f"ws://{host}/api/v1/stream?topics=now.BTC") as late:
            found = await message(late, "now.BTC")
        assert found["seq"] == early["seq"]
        assert found["data"]["meta"]["age_s"] >= early["data"]["meta"]["age_s"] + 0.5

    listen(host, "topics=now.BTC", work)


def test_a_number_that_was_never_given_means_nothing(live):
    host, _ = live
    assert listen(host, f"topics=now.BTC&since={10**17}", lambda socket: message(socket, "now.BTC"))["data"]["ok"]


def test_an_added_topic_has_a_larger_number_than_all_before(live):
    host, _ = live

    async def work(socket):
        (_, largest) = sorted(one["seq"] for one in await gather(socket, 2))
        async with connect(f"ws://{host}/api/v1/stream?topics=health") as other:
            (newest,) = await gather(other, 1)
            await other.send('{"add": ["now.BTC"]}')
            added = await message(other, "now.BTC")
        assert added["seq"] > max(newest["seq"], largest)

    listen(host, "topics=now.BTC,map.BTC", work)


def test_topics_that_nobody_reads_are_few():
    hub = hubs.Hub(server=None)
    reader = _Reader(socket=None)
    for k in range(200):
        topic = hub._topics[f"now.A{k}"] = hubs._Topic(f"now.A{k}")
        topic.said = lambda: b"{}"
        topic.readers.add(reader)
        hub._leave(reader, topic.name)
    assert not hub._topics
    assert list(hub._resting) == [f"now.A{k}" for k in range(200 - hubs.MOST_RESTING, 200)]


def test_topics_are_added_and_left(live):
    host, app = live
    hub = app.state.server.hub

    async def work(socket):
        await socket.send('{"add": ["health", "venues"], "leave": ["now.BTC"]}')
        seen = {(await message(socket))["topic"] for _ in range(3)} - {"heartbeat"}
        assert {"health", "venues"} <= seen | {"now.BTC"}
        for _ in range(50):
            if "now.BTC" not in hub._topics:
                break
            await asyncio.sleep(0.05)
        assert "now.BTC" not in hub._topics

    listen(host, "topics=now.BTC", work)


def test_a_topic_of_an_unknown_instrument_says_so_and_the_others_go_on(live):
    host, _ = live

    async def work(socket):
        return {m["topic"]: m["data"] for m in [await message(socket), await message(socket)]}

    found = listen(host, "topics=now.DOGE,now.BTC", work)
    assert found["now.DOGE"]["error"]["code"] == "UNKNOWN_INSTRUMENT"
    assert found["now.BTC"]["ok"] is True


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("topics=everything", None),
        ("topics=now.BTC%2F..", None),
        ("topics=" + ",".join(f"now.A{k}" for k in range(17)), None),
        ("", '{"add": "health"}'),
        ("", '{"nonsense": []}'),
        ("", "x" * 600),
        ("", "not json"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told_so_and_ended(live, query, sent):
    host, _ = live

    async def work(socket):
        if sent is not None:
            await socket.send(sent)
        said = []
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                said.append(json.loads(text))  # noqa: PERF401
        return [each["error"]["code"] for each in said if "error" in each]

    async def ended(socket):
        codes = await work(socket)
        return codes, socket.close_code

    assert listen(host, query, ended) == (["BAD_ARGUMENT"], 1008)


@pytest.mark.parametrize(
    ("headers", "host"), [({"Origin": "http://evil.example"}, None), ({}, "evil.example"), ({"Origin": "null"}, None)]
)
def test_another_page_may_not_listen(live, headers, host):
    address, _ = live

    async def run():
        options = {"additional_headers": headers} if host is None else {"host": "127.0.0.1", "port": int(address.split(":")[1])}
        name = address if host is None else host
        async with connect(f"ws://{name}/api/v1/stream", **options):
            pass

    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(run())
    assert refused.value.response.status_code == 403


def test_a_token_is_asked_for(home):
    token = "a-token-of-some-length"

    async def opened(query, **options):
        async with connect(f"ws://{host}/api/v1/stream?{query}", **options) as socket:
            return await message(socket, "health")

    with running(home, token=token, requests_per_minute=6) as (host, _):
        for query in ("topics=health", "topics=health&token=wrong"):
            with pytest.raises(InvalidStatus) as refused:
                asyncio.run(opened(query))
            assert refused.value.response.status_code == 401
        assert asyncio.run(opened(f"topics=health&token={token}"))["data"]["ok"]
        assert asyncio.run(opened("topics=health", additional_headers={"Authorization": f"Bearer {token}"}))["data"]["ok"]
        for _ in range(2):
            asyncio.run(opened(f"topics=health&token={token}"))
        with pytest.raises(InvalidStatus) as refused:
            asyncio.run(opened(f"topics=health&token={token}"))
        assert refused.value.response.status_code == 429


def test_there_is_room_for_so_many(home):
    async def fill(host):
        async with connect(f"ws://{host}/api/v1/stream?"), connect(f"ws://{host}/api/v1/stream?"):
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                async with connect(f"ws://{host}/api/v1/stream?topics=health") as third:
                    await third.recv()

    with running(home, clients=2) as (host, _):
        asyncio.run(fill(host))


def test_a_heartbeat_comes(live):
    host, _ = live

    async def work(socket):
        start = time.monotonic()
        await message(socket, "heartbeat")
        return time.monotonic() - start

    assert hubs.HEARTBEAT_S == 5.0
    assert listen(host, "", work) < 6.0


def test_a_slow_reader_gets_the_newest_and_how_much_it_missed():
    reader = _Reader(socket=None)
    for seq in range(1, 6):
        reader.offer("now.BTC", writer("now.BTC", seq, None, b'{"n":%d}' % seq))
        reader.offer("map.BTC", writer("map.BTC", seq, None, b"{}")) if seq < 3 else None
    found = {name: json.loads(write(skipped)) for name, (write, skipped) in reader.waiting.items()}
    assert list(found) == ["map.BTC", "now.BTC"]  # in the order in which they were last told
    assert found["now.BTC"] == {"topic": "now.BTC", "seq": 5, "kind": "snapshot", "data": {"n": 5}, "skipped": 4}
    assert found["map.BTC"]["skipped"] == 1


def test_a_reader_that_does_not_read_slows_nobody_down(live):
    """One reader stops reading while 20 MB are published; the other gets every message, the first one the newest."""
    host, app = live
    hub, loop_of = app.state.server.hub, {}
    filler = b'"' + b"x" * 100_000 + b'"'

    async def work():
        slow = await connect(f"ws://{host}/api/v1/stream?topics=map.BTC", max_queue=1)
        quick = await connect(f"ws://{host}/api/v1/stream?topics=map.BTC", max_size=None)
        await message(quick, "map.BTC")
        topic = hub._topics["map.BTC"]
        topic.rests_until = float("inf")  # nothing but what is published here
        while topic.busy is not None and not topic.busy.done():
            await asyncio.sleep(0.05)
        loop = next(iter(hub._tasks)).get_loop()
        loop_of["loop"] = loop
        late = []
        for k in range(200):
            start = time.monotonic()
            data = b'{"k":%d,"f":%s}' % (k, filler)
            loop.call_soon_threadsafe(hub.publish, "map.BTC", data, None)
            while True:
                found = await message(quick, "map.BTC")
                if found["data"].get("k") == k:
                    break
            late.append(time.monotonic() - start)
        await asyncio.sleep(0.2)
        seen, skipped = [], 0
        while not seen or seen[-1] != 199:
            found = await message(slow, "map.BTC")
            skipped += found.get("skipped", 0)
            if "k" in found["data"]:
                seen.append(found["data"]["k"])
        await slow.close()
        await quick.close()
        return sorted(late)[len(late) // 2], seen, skipped

    median, seen, skipped = asyncio.run(asyncio.wait_for(work(), 25))
    assert median < 0.25
    assert seen == sorted(seen)
    assert skipped > 50
    assert len(seen) + skipped in (200, 201)  # the first snapshot may have been replaced too


def test_what_only_grows_older_is_not_sent_again():
    one, two = (b'{"age_s":%s,"computed_at":"%s","price":1}' % pair for pair in ((b"1.5", b"a"), (b"2.5e3", b"b")))
    assert _RESTLESS.sub(b"", one) == _RESTLESS.sub(b"", two)
    assert _RESTLESS.sub(b"", one) != _RESTLESS.sub(b"", one.replace(b":1}", b":2}"))
