"""Rules of the house that a reader would otherwise have to check by eye."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PAGE = sorted(
    path for path in (ROOT / "web" / "src").rglob("*") if path.suffix in {".ts", ".svelte"} and not path.name.endswith(".d.ts")
)


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda path: path.name)
def test_locks_name_no_address(lock):
    assert "://" not in lock.read_text(encoding="utf-8")


def test_files_are_short_enough_to_hold_in_the_head():
    # Kernels call kernels of their own file only (a cached caller does not notice a change in another): that file may be longer.
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (*SOURCES, *PAGE)}
    long = {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > (700 if path.name == "_kernels.py" else 450)}
    assert long == {}


def test_nothing_in_the_house_imports_the_root():
    pattern = re.compile(r"^\s*(import liqscape\b(?!\.)|from liqscape import)", re.MULTILINE)
    guilty = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        for match in pattern.finditer(re.sub(r'"""[\s\S]*?"""', "", path.read_text(encoding="utf-8")))
        if match[0].strip() not in ("from liqscape import",) or not _only_ground(path)
    ]
    assert guilty == []


def _only_ground(path: Path) -> bool:
    """`from liqscape import settings` and `__version__` are ground, not the door."""
    names = re.findall(r"from liqscape import ([\w, ]+)", path.read_text(encoding="utf-8"))
    words = {word.split(" as ")[0].strip() for line in names for word in line.split(",")}
    return words <= {"settings", "__version__"}


def test_rooms_open_with_what_they_are_for():
    for path in (ROOT / "src" / "liqscape").rglob("__init__.py"):
        assert path.read_text(encoding="utf-8").lstrip().startswith('"""'), path


def test_no_market_data_lies_in_the_house():
    rooms = [ROOT / name for name in ("src", "tests", "docs", "benchmarks", ".ci")]
    kept = [path for room in rooms for path in room.rglob("*") if path.suffix in {".parquet", ".csv", ".zip", ".gz"}]
    assert [str(path.relative_to(ROOT)) for path in kept if "_build" not in path.parts] == []


def test_pictures_are_light():
    kept = [
        path
        for room in ("docs", "web")
        for path in (ROOT / room).rglob("*.png")
        if not {"_build", "node_modules"} & set(path.parts)
    ]
    assert kept
    assert {str(path.relative_to(ROOT)): size for path in kept if (size := path.stat().st_size) > 300_000} == {}
