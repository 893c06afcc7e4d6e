"""What people see: widths, colours, bars."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_said import NAME

from liqscape.api.answers.maps import default_step
from liqscape.cli.main import main
from liqscape.cli.options import Plain
from liqscape.cli.screen import Screen, bar
from liqscape.cli.views.words import number_interval, odds_text, plain, signed, usd_interval, window_text
from liqscape.model.maps import Estimate

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


Seen = Callable[..., str]


@pytest.fixture
def seen(home: Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Run a reading on a colour terminal and return what stands there, codes included."""

    def run(columns: int, lines: int, command: str, *words: str, **environment: str) -> str:
        file = Terminal()
        with monkeypatch.context() as patched:
            for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
                patched.delenv(name, raising=False)
            for name, value in {"TERM": "xterm-256color", **environment}.items():
                patched.setenv(name, value)
            patched.setattr("liqscape.cli.screen._terminal_size", lambda: (columns, lines))
            patched.setattr(sys, "stdout", file)
            assert main([command, NAME, *words, "--home", str(home)]) == 0
        return file.getvalue()

    return run


def test_bars_by_hand() -> None:
    # 8 of 16 on 16 characters is 8; three quarters of it are data.
    assert bar(8.0, 16.0, 0.75, 16) == ("██████", "░░")
    assert bar(16.0, 16.0, 1.0, 4) == ("████", "")
    assert bar(0.0, 16.0, 1.0, 4) == ("", "")
    assert bar(1e-9, 16.0, None, 4) == ("", "░")  # something is never drawn as nothing


def test_numbers_as_they_are_read() -> None:
    assert usd_interval(Estimate(median=4.98e8, lo=3.72e8, hi=6.63e8)) == "$498M [372-663]"
    assert usd_interval(Estimate(median=7.93e6, lo=6.4e6, hi=1.13e7)) == "$7.93M [6.4-11]"
    assert usd_interval(Estimate(median=5.0, lo=None, hi=None)) == "$5.00"
    assert number_interval(Estimate(median=0.19, lo=-0.06, hi=0.46), signed) == "+0.19 [-0.06..+0.46]"
    assert number_interval(Estimate(median=1.3, lo=0.9, hi=2.0), plain) == "1.3 [0.90-2.0]"
    assert number_interval(None, plain) == "-"
    assert (window_text(0.015), window_text(0.02)) == ("1.5 %", "2 %")
    assert (odds_text(0.67), odds_text(0.001), odds_text(0.0), odds_text(None)) == ("67%", "< 1%", "0%", "-")


def test_steps_of_the_ladder() -> None:
    within = (0.005, 0.01, 0.015, 0.05, 0.1, 0.2, 0.5)
    assert [default_step(each) for each in within] == [0.001, 0.001, 0.005, 0.005, 0.01, 0.02, 0.05]


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
@pytest.mark.parametrize("words", [("map",), ("now",), ("asymmetry", "--usd", "1M"), ("zones",), ("heatmap", "--window", "2d")])
def test_no_line_is_wider_than_the_screen(seen: Seen, columns: int, words: tuple[str, ...]) -> None:
    lines = [ANSI.sub("", line) for line in seen(columns, 24, *words).splitlines()]
    assert max(len(line) for line in lines) <= min(columns, 120)
    assert not any(line.startswith("% ") for line in lines)  # a number is not parted from its sign


def test_a_terminal_gets_colours_and_bars(seen: Seen) -> None:
    text = seen(100, 24, "map")
    assert {"\x1b", "█", "░"} <= set(text)
    assert "48;5;" in seen(100, 24, "heatmap", "--window", "2d")  # shades are backgrounds of 256 colours


@pytest.mark.parametrize(("words", "environment"), [(("--no-color",), {}), ((), {"NO_COLOR": "1"})])
def test_colours_can_be_left_out(seen: Seen, words: tuple[str, ...], environment: dict[str, str]) -> None:
    text = seen(100, 24, "map", *words, **environment)
    assert "\x1b" not in text
    assert "█" in text


@pytest.mark.parametrize(("words", "environment"), [(("--plain",), {}), ((), {"TERM": "dumb"})])
def test_plain_leaves_out_bars_too(seen: Seen, words: tuple[str, ...], environment: dict[str, str]) -> None:
    assert not {"\x1b", "█", "░"} & set(seen(100, 24, "map", *words, **environment))


def test_heatmap_shades_without_colours(seen: Seen) -> None:
    text = seen(80, 30, "heatmap", "--no-color", "--window", "3d")
    assert "┃" in text
    assert set(text) & set("░▒▓█")


def test_long_lines_are_wrapped_on_a_terminal_only() -> None:
    words = " ".join(["seven"] * 60)
    for width, count in ((60, 6), (None, 1)):
        file = io.StringIO()
        Screen(file, bars=False, color=False, width=width).line(words)
        assert len(file.getvalue().splitlines()) == count


def test_screens_know_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    screen = Screen.of(Plain())
    assert (screen.bars, screen.color) == (False, False)
