"""What the page asks first is there before it asks; nothing is begun once somebody waits, and no failure ends the server."""

import time

from served import Asker, running

from liqscape.server.app import Server
from liqscape.server.options import Options
from liqscape.server.warm import warm


def test_the_first_screen_is_answered_before_it_is_asked(home):
    asker = Asker(home)
    try:
        server = asker.app.state.server
        warm(server)
        made = server.memory.maps.misses, server.said.misses, server.heat._made.misses
        assert all(made)
        for path in ("now", "map", "heat", "cascade"):
            assert asker(f"/api/v1/BTC/{path}").status_code == 200
        assert (server.memory.maps.misses, server.said.misses, server.heat._made.misses) == made
    finally:
        asker.close()


def test_nothing_more_is_begun_once_somebody_asks(home):
    asker = Asker(home)
    try:
        asker("/api/v1/instruments")
        server = asker.app.state.server
        warm(server)
        assert (server.memory.maps.misses, server.said.misses, server.heat._made.misses) == (0, 0, 0)
    finally:
        asker.close()


def test_an_empty_home_and_one_that_fails_are_nobodys_trouble(home, tmp_path, monkeypatch):
    warm(Server(Options(home=tmp_path)))

    def broken(*_, **__):
        raise RuntimeError("a file that cannot be read")

    monkeypatch.setattr("liqscape.server.routes.live_grid", broken)
    server = Server(Options(home=home))
    warm(server)
    assert server.said.misses == 3


def test_it_is_done_when_the_server_starts_if_that_is_wanted(home):
    with running(home, warm=True) as (_, app):
        until = time.monotonic() + 20
        while app.state.server.said.misses < 3 and time.monotonic() < until:
            time.sleep(0.05)
        assert app.state.server.said.misses == 3
    with running(home) as (_, app):
        time.sleep(0.2)
        assert app.state.server.said.misses == 0
