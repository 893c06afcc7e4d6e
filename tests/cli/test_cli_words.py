"""What people type: help, typos, errors, exit statuses, conditions."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_said import NAME, Ask, Said

from liqscape.cli import main as program
from liqscape.cli.app import app

READ = ("now", "map", "heatmap", "asymmetry", "move-to", "zones", "fuel", "liquidations")
KEEP = ("import", "export", "settings", "doctor", "demo", "warmup")
COMMANDS = (*READ, *KEEP)


def test_help_starts_with_what_it_does_and_examples(ask: Ask) -> None:
    for words in ((), *((name,) for name in COMMANDS)):
        said = ask(*words, "--help")
        assert said.status == 0
        assert said.out.index("Examples:") < said.out.index("Usage:")
        assert all(len(line) <= 110 for line in said.out.splitlines())


def test_no_command_is_a_question_for_help(ask: Ask) -> None:
    said = ask()
    assert said.status == 0
    assert all(f"  {name} " in said.out for name in COMMANDS)


def test_version(ask: Ask) -> None:
    assert ask("--version").out == "liqscape 0.1.0\n"


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [(("mapp", "BTC"), "map"), (("asymetry", "BTC"), "asymmetry"), (("map", "BTC", "--jsn"), "--json")],
)
def test_typos_get_a_suggestion(ask: Ask, words: tuple[str, ...], suggestion: str) -> None:
    said = ask(*words)
    assert said.status == 2
    assert said.out == ""
    assert suggestion in said.err
    assert "--help" in said.err


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (2, "BAD_ARGUMENT", ("map", NAME, "--within", "wide")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--within", "0%")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--within", "60%")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--as-of", "yesterday")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--window", "a while")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--side", "up")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--tz", "Mars")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--reading", "false")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--min-usd", "many")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--out", "map.gif")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--require", "luck")),
        (2, "BAD_ARGUMENT", ("asymmetry", NAME, "--range", "90000-80000")),
        (2, "BAD_ARGUMENT", ("asymmetry", NAME, "--exit-if", "imbalance(2%) > ")),
        (2, "BAD_ARGUMENT", ("move-to", NAME, "--usd", "-5")),
        (2, "BAD_ARGUMENT", ("zones", NAME, "--side", "up")),
        (2, "BAD_ARGUMENT", ("heatmap", NAME, "--scale", "5M-1M")),
        (2, "BAD_ARGUMENT", ("fuel", NAME, "--since", "2020-01-01")),
        (2, "BAD_ARGUMENT", ("map", NAME, "--csv")),
        (3, "UNKNOWN_INSTRUMENT", ("map", "DOGE")),
        (3, "UNKNOWN_INSTRUMENT", ("map", "binance:DOGEUSDT")),
        (3, "OUT_OF_RECORD", ("map", NAME, "--as-of", "2025-01-01")),
        (3, "NO_DATA", ("map", NAME, "--reading", "true")),
        (3, "NO_DATA", ("liquidations", NAME, "--as-of", "2025-01-01")),
        (3, "NO_DATA", ("now", NAME, "--exit-if", "ratio(0.1%) > 1")),
        (4, "STALE_INPUT", ("map", NAME, "--max-age", "5m", "--as-of", "2026-02-01")),
        (4, "STALE_INPUT", ("fuel", NAME, "--since", "1d", "--max-age", "5m", "--as-of", "2026-01-13T02:00Z")),
        (6, "BELOW_ACCURACY", ("map", NAME, "--require", "tested")),
    ],
)
def test_errors_have_one_shape_and_a_status(ask: Ask, home: Path, status: int, code: str, words: tuple[str, ...]) -> None:
    said = ask(*words, "--home", home, "--json")
    assert (said.status, said.err) == (status, "")
    # A condition that cannot be answered is found after the answer is given.
    error = _last(said)
    assert list(error) == ["ok", "error"]
    assert error["ok"] is False
    assert list(error["error"]) == ["code", "message", "hint", "context", "retry_after_s"]
    assert error["error"]["code"] == code
    plain = ask(*[word for word in words if word != "--csv"], "--home", home)
    if "--csv" not in words:
        assert plain.status == status
        assert plain.err.startswith("error: ")


def _last(said: Said) -> dict[str, object]:
    import json

    return json.loads(said.out.splitlines()[-1])


def test_conditions_become_a_status(ask_home: Ask) -> None:
    row = ask_home("asymmetry", "--within", "5%", "--json").json["data"]["within"][0]
    value, pool = row["imbalance"]["median"], row["long_pool_usd"]["median"]
    true = [
        f"imbalance(5%) >= {value - 1e-9}",
        f"imbalance(0.05) < {value + 1e-9} and long_pool(5%) > {pool * 0.99:.0f}",
        "tilt > 100 or tilt < 100",
        "not tilt > 100",
        "prior_share(5%) <= 100%",
        "long_pool(5%) > 1K",
    ]
    for text in true:
        assert ask_home("asymmetry", "--quiet", "--exit-if", text).status == 10, text
    for text in (f"imbalance(5%) > {value + 1e-9}", "tilt > 100 and long_pool(5%) > 1", "not long_pool(5%) > 1K"):
        assert ask_home("asymmetry", "--quiet", "--exit-if", text).status == 0, text


@pytest.mark.parametrize(
    "text",
    ["", "imbalance", "imbalance(2%)", "imbalance() > 1", "wings(2%) > 1", "1 > 2 3", "tilt > __import__", "ratio(2M) > 1"],
)
def test_only_the_small_language_is_understood(ask: Ask, text: str) -> None:
    said = ask("now", NAME, "--exit-if", text)
    assert said.status == 2
    assert "imbalance(w)" in said.err


def test_fresh_enough_and_allowed(ask_home: Ask) -> None:
    assert ask_home("map", "--as-of", "2026-01-12T00:03Z", "--max-age", "5m").status == 0


def test_unexpected_errors_are_short_and_say_how_to_report(ask: Ask, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nothing left")

    monkeypatch.setattr("liqscape.engine.maps.build_map", fail)
    monkeypatch.setattr("liqscape.cli.views.show_map.answer_map", fail)
    said = ask("map", NAME, "--home", home)
    assert said.status == 1
    assert said.err.splitlines()[0] == "error: unexpected ZeroDivisionError: nothing left"
    assert "--debug" in said.err
    with pytest.raises(ZeroDivisionError):
        ask("map", NAME, "--home", home, "--debug")


def test_interrupted(ask: Ask, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("liqscape.cli.views.show_map.answer_map", stop)
    said = ask("map", NAME, "--home", home)
    assert (said.status, said.out) == (130, "")
    assert "interrupted" in said.err


def test_home_is_taken_from_the_environment(ask: Ask, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQSCAPE_HOME", str(home))
    assert ask("now", "BTC").status == 0
    monkeypatch.setenv("LIQSCAPE_COLOUR", "blue")
    said = ask("now", "BTC")
    assert said.status == 2
    assert "LIQSCAPE_COLOUR" in said.err


def _process(*words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from liqscape.cli.main import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=60)


def test_a_process_ends_with_the_status(home: Path) -> None:
    good = _process("now", NAME, "--home", str(home), "--json")
    assert (good.returncode, good.stderr) == (0, "")
    bad = _process("now", "DOGE", "--home", str(home))
    assert (bad.returncode, bad.stdout) == (3, "")
    assert "Traceback" not in bad.stderr


def test_a_closed_pipe_is_no_error(home: Path) -> None:
    code = "import sys; from liqscape.cli.main import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "map", NAME, "--home", str(home), "--csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from liqscape.cli.main import main; main(['--help']); main(['map', '--help'])\n"
        "heavy = {'numpy', 'numba', 'polars', 'matplotlib', 'rich', 'deltalake', 'scipy'} & set(sys.modules)\n"
        "print(sorted(heavy)); sys.exit(len(heavy))"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.endswith("[]\n"), done.stdout[-200:]
    assert done.returncode == 0
    assert time.perf_counter() - began < 5.0  # a guard against seconds; what is measured stands in benchmarks


def test_every_command_of_the_program_is_known() -> None:
    from typer.main import get_command

    assert program.main is not None
    assert set(get_command(app).commands) >= set(COMMANDS)  # pyright: ignore[reportAttributeAccessIssue]
