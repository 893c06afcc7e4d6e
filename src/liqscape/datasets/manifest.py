"""`dataset.toml`: which instrument a folder is about, and what its files hold."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import cast

from msgspec import Struct

from liqscape.datasets.columns import RowKind
from liqscape.errors import BadArgument
from liqscape.model import Completeness, InstrumentId, PriceKind
from liqscape.units import parse_duration_ns

MANIFEST = "dataset.toml"

_KEYS = {
    RowKind.BARS: {"file", "interval", "open_interest", "price_kind"},
    RowKind.LIQUIDATION_TOTALS: {"file", "interval", "venues", "complete"},
    RowKind.FUNDING: {"file", "interval"},
    RowKind.OPEN_INTEREST: {"file"},
    RowKind.DEPTH: {"file"},
}
_SECTIONS = {
    "bars": RowKind.BARS,
    "liquidations": RowKind.LIQUIDATION_TOTALS,
    "funding": RowKind.FUNDING,
    "open_interest": RowKind.OPEN_INTEREST,
    "depth": RowKind.DEPTH,
}


class Entry(Struct, frozen=True, kw_only=True):
    """One file of the folder.

    Parameters
    ----------
    interval_ns
        Length of a row's interval, ns; None if the manifest does not say.
    price_kind
        Bars: what the prices are.
    venues
        Liquidations: whose feeds are summed; empty if the manifest does not say.
    completeness
        Liquidations: ALL if `complete = true`, THROTTLED if false, else UNKNOWN.
    """

    kind: RowKind
    path: Path
    interval_ns: int | None = None
    price_kind: PriceKind = PriceKind.MARK
    venues: tuple[str, ...] = ()
    completeness: Completeness = Completeness.UNKNOWN


class Manifest(Struct, frozen=True, kw_only=True):
    """A folder's `dataset.toml`; `unknown` names keys that mean nothing here."""

    instrument: InstrumentId
    simulated: bool
    entries: tuple[Entry, ...]
    unknown: tuple[str, ...]


def read_manifest(folder: Path) -> Manifest:
    """Read `folder/dataset.toml`.

    Raises
    ------
    BadArgument
        If it is no TOML, a value makes no sense, or a file it names is not there.
    """
    path = folder / MANIFEST
    try:
        document = cast(dict[str, object], tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadArgument(f"{path}: no readable TOML: {error}", hint="Write it like the example in the import guide.") from error
    unknown = [key for key in document if key not in _SECTIONS and key not in ("instrument", "simulated")]
    entries: list[Entry] = []
    for name, kind in _SECTIONS.items():
        section = document.get(name)
        if section is None:
            continue
        if not isinstance(section, dict):
            raise _bad(path, name, "a section", section)
        facts = cast(dict[str, object], section)
        unknown += [f"{name}.{key}" for key in facts if key not in _KEYS[kind]]
        entries.append(_entry(path, name, kind, facts))
    if not entries:
        raise BadArgument(f"{path}: names no file", hint=f"Add a section [bars], [{'], ['.join(list(_SECTIONS)[1:])}].")
    simulated = document.get("simulated", False)
    if not isinstance(simulated, bool):
        raise _bad(path, "simulated", "true or false", simulated)
    return Manifest(
        instrument=InstrumentId.parse(_text(path, "instrument", document.get("instrument"))),
        simulated=simulated,
        entries=tuple(entries),
        unknown=tuple(unknown),
    )


def _entry(path: Path, name: str, kind: RowKind, facts: dict[str, object]) -> Entry:
    file = path.parent / _text(path, f"{name}.file", facts.get("file"))
    if not file.is_file():
        raise BadArgument(f"{path}: {name}.file: there is no file {file}", hint="Correct the name or add the file.")
    if facts.get("open_interest", "base") != "base":
        raise _bad(path, f"{name}.open_interest", "'base' (one-sided, base units, at the bar's end)", facts["open_interest"])
    kind_text = facts.get("price_kind", PriceKind.MARK.value)
    if kind_text not in (PriceKind.MARK.value, PriceKind.LAST.value):
        raise _bad(path, f"{name}.price_kind", "'mark' or 'last'", kind_text)
    interval_ns = None
    if "interval" in facts:
        text = _text(path, f"{name}.interval", facts["interval"])
        try:
            interval_ns = parse_duration_ns(text)
        except ValueError:
            raise _bad(path, f"{name}.interval", "a duration such as '5m'", text) from None
    listed = facts.get("venues", [])
    venues = cast(list[object], listed) if isinstance(listed, list) else [None]
    if not all(isinstance(venue, str) and venue for venue in venues):
        raise _bad(path, f"{name}.venues", "a list of names", facts["venues"])
    complete = facts.get("complete")
    if complete is not None and not isinstance(complete, bool):
        raise _bad(path, f"{name}.complete", "true or false", complete)
    completeness = {None: Completeness.UNKNOWN, True: Completeness.ALL, False: Completeness.THROTTLED}[complete]
    return Entry(
        kind=kind,
        path=file,
        interval_ns=interval_ns,
        price_kind=PriceKind(kind_text),
        venues=tuple(sorted({str(venue).lower() for venue in venues})),
        completeness=completeness,
    )


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _bad(path, key, "a text", value)
    return value


def _bad(path: Path, key: str, expected: str, found: object) -> BadArgument:
    received = "nothing" if found is None else repr(found)
    return BadArgument(f"{path}: {key}: expected {expected}, received {received}", hint=f"Correct {key} in {path.name}.")
