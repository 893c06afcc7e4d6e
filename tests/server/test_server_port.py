"""Where `liqscape serve` listens: the usual port, or a free one if somebody is there; a port that was typed is never changed."""

import socket

import pytest

from liqscape.cli.options import Plain
from liqscape.cli.views import show_serve


@pytest.fixture
def taken(monkeypatch):
    """A port on which somebody listens, in the place of the usual one."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setattr(show_serve, "PORT", listening.getsockname()[1])
        yield listening.getsockname()[1]


def test_a_port_in_use_is_left_and_said(taken, capsys):
    assert show_serve._port(Plain(), "127.0.0.1", None) == 0
    assert f"port {taken} is in use" in capsys.readouterr().err


def test_a_port_that_was_typed_is_taken_at_its_word(taken):
    assert show_serve._port(Plain(), "127.0.0.1", taken) == taken


def test_a_free_port_is_the_usual_one(taken, monkeypatch, capsys):
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        free = trial.getsockname()[1]
    monkeypatch.setattr(show_serve, "PORT", free)
    assert show_serve._port(Plain(), "127.0.0.1", None) == free
    assert capsys.readouterr().err == ""
