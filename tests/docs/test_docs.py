"""Every example in the pages, the README and the docstrings runs; every shell block runs on a demo store."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

from liqscape.cli.demo import run_demo

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SOURCES = sorted((ROOT / "src").rglob("*.py"))
_NUMBER = re.compile(r"[+-]?\$?\d[\d.,]*[KMBT]?")
_BARS = re.compile("[\u2588-\u2593]+")  # blocks and shades


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `liqscape demo` has run; examples run in it and see its `demo/home` as their home."""
    folder = tmp_path_factory.mktemp("docs")
    run_demo(folder / "demo", quiet=True, compile_ahead=False)
    return folder


def shape(text: str) -> str:
    """Return a text without its numbers, bars and spaces: what stays the same when an estimate improves.

    >>> shape("$1.2M +3 %  ██░")
    '# # % █'
    """
    return " ".join(_BARS.sub("█", _NUMBER.sub("#", text)).split())


def run_console(example: Example) -> str | None:
    """Run each `$ command` of a block; if it shows output, the output has that shape (`...` stands for anything)."""
    folder: Path = example.namespace["folder"]
    for part in re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command, comments=True)
        environment = os.environ | {"LIQSCAPE_HOME": str(folder / "demo" / "home"), "COLUMNS": "120", "NO_COLOR": "1"}
        while "=" in words[0]:
            name, value = words.pop(0).split("=", 1)
            environment[name] = value
        if words[0] != "liqscape":
            return f"only liqscape is run in the pages, not {command!r}"
        call = [sys.executable, "-c", "import sys; from liqscape.cli.main import main; sys.exit(main())", *words[1:]]
        done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            return f"$ {command}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
        pattern = ".*".join(re.escape(shape(piece)) for piece in shown.split("...")).replace("\\ .*", ".*")
        if shown.strip() and not re.fullmatch(pattern + ".*" * shown.rstrip().endswith("..."), shape(done.stdout)):
            return f"$ {command}\nexpected (numbers apart):\n{shown}\nreceived:\n{done.stdout}"
    return None


SYBIL = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE),
        CodeBlockParser(language="console", evaluator=run_console),
        SkipParser(),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_examples_of_a_page(page: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    document = SYBIL.parse(page)
    examples = list(document.examples())
    if any(word in page.read_text(encoding="utf-8") for word in ("```console", "import liqscape as ls")):
        folder = request.getfixturevalue("demo_folder")
        document.namespace["folder"] = folder
        monkeypatch.setenv("LIQSCAPE_HOME", str(folder / "demo" / "home"))
        monkeypatch.chdir(folder)
    for example in examples:
        example.evaluate()


@pytest.mark.parametrize(
    "source", [path for path in SOURCES if ">>>" in path.read_text(encoding="utf-8")], ids=lambda path: path.stem
)
def test_examples_of_a_module(source: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    name = ".".join(source.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    if "import liqscape as ls" in source.read_text(encoding="utf-8"):
        folder = request.getfixturevalue("demo_folder")
        monkeypatch.setenv("LIQSCAPE_HOME", str(folder / "demo" / "home"))
        monkeypatch.chdir(folder)
    found = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0
    assert found.attempted > 0


def test_every_page_is_linked_to_existing_files() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
