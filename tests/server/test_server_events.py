"""Server-sent events: a plain GET of the stream brings the messages that a WebSocket brings, and goes on where it was cut."""

import json
import threading
import time

import httpx
import pytest
from served import running

HEALTH = "/api/v1/stream?topics=health"


@pytest.fixture(scope="module")
def live(home):
    with running(home) as found:
        yield found


def events(host, query, count, **headers):
    """Return so many events, each a dict of its fields, without heartbeats."""
    found = []
    with httpx.stream("GET", f"http://{host}/api/v1/stream?{query}", headers=headers, timeout=15) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name:
                told[name] = value
            elif "data" in told:
                message = json.loads(told["data"])
                if message["topic"] != "heartbeat" or "heartbeat" in query:
                    found.append((int(told["id"]), message))
                told = {}
            if len(found) == count:
                return found
    return found


def test_it_says_what_the_route_says(live, get):
    host, _ = live
    ((number, message),) = events(host, "topics=now.BTC", 1)
    assert (message["topic"], message["kind"], message["seq"]) == ("now.BTC", "snapshot", number)
    assert message["data"]["data"] == get("/api/v1/BTC/now").json()["data"]


def test_who_comes_back_with_the_last_id_is_told_only_what_is_newer(live):
    host, app = live
    ((first, _),) = events(host, "topics=now.BTC", 1)
    hub = app.state.server.hub
    with httpx.stream(
        "GET", f"http://{host}/api/v1/stream?topics=now.BTC", headers={"Last-Event-ID": str(first)}, timeout=10
    ) as back:
        lines = back.iter_lines()
        assert next(lines) == "retry: 2000"
        news = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
        # Nothing has happened since: the first that comes is a heartbeat.
        assert news["topic"] == "heartbeat"
    until = time.monotonic() + 5
    while hub.readers and time.monotonic() < until:
        time.sleep(0.02)
    assert hub.readers == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("topics=heat.BTC", "BAD_ARGUMENT"),
        ("topics=nothing", "BAD_ARGUMENT"),
        ("topics=" + ",".join(f"now.X{i}" for i in range(17)), "BAD_ARGUMENT"),
    ],
)
def test_what_cannot_be_told_this_way_is_refused(live, query, code):
    host, _ = live
    answer = httpx.get(f"http://{host}/api/v1/stream?{query}", timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert live[1].state.server.hub.readers == 0


def test_its_head_has_no_end_to_wait_for(live):
    assert httpx.head(f"http://{live[0]}/api/v1/stream?topics=health", timeout=10).status_code == 403


def test_it_takes_a_place(home):
    with (
        running(home, clients=1) as (host, _),
        httpx.stream("GET", f"http://{host}/api/v1/stream?topics=health", timeout=10) as one,
    ):
        lines = one.iter_lines()  # kept: the answer is closed when nobody holds them
        next(line for line in lines if line.startswith("data: "))
        full = httpx.get(f"http://{host}/api/v1/stream?topics=health", timeout=10)
        assert (full.status_code, full.json()["error"]["code"]) == (429, "RATE_LIMIT")


def test_it_ends_with_the_server(home):
    begun, ended = threading.Event(), threading.Event()

    def read(host):
        with httpx.stream("GET", f"http://{host}/api/v1/stream?topics=health", timeout=10) as answer:
            begun.set()
            assert [line for line in answer.iter_lines() if line.startswith("data: ")]
        ended.set()

    with running(home) as (host, _):
        threading.Thread(target=read, args=(host,), daemon=True).start()
        assert begun.wait(10)
        time.sleep(0.5)
    assert ended.wait(2)


def test_a_token_is_asked_for(home):
    with running(home, token="a-token-of-many-letters") as (host, _):
        assert httpx.get(f"http://{host}/api/v1/stream?topics=health", timeout=10).status_code == 401
        told = events(host, "topics=health", 1, Authorization="Bearer a-token-of-many-letters")
        assert told[0][1]["topic"] == "health"
