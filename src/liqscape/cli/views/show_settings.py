"""`liqscape settings`: list, read, change."""

from __future__ import annotations

from typing import Any, cast

from liqscape import settings as store
from liqscape.api.envelope import Links, plain_meta
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Home, Plain
from liqscape.cli.screen import BOLD, DIM, Screen
from liqscape.errors import BadArgument


def list_settings(home: Home, show: Plain) -> None:
    """Print every setting: value, unit, what it is for."""
    rows = _rows(home)

    def text(screen: Screen) -> None:
        for row in rows:
            changed = row["value"] != row["default"]
            screen.joined(
                [f"{row['name']} = {_written(row['value'])}", f"({row['unit']})"] + ([] if changed else ["default"]), BOLD
            )
            screen.line((f"    {row['help']}", DIM), hang=4)

    emit(show, Answer("settings", {"settings": rows}, plain_meta(), text, links=Links()), Screen.of(show))


def get_setting(home: Home, show: Plain, name: str) -> None:
    """Print one setting's value."""
    top, _, venue = name.partition(".")
    row = next((row for row in _rows(home) if row["name"] == top), None)
    if row is None or (venue and top not in store.TABLES):
        raise BadArgument(f"settings: unknown name {name!r}", hint="`liqscape settings` lists them.")
    value: Any = cast("dict[str, Any]", row["value"]).get(venue) if venue else row["value"]
    data = {"name": name, "value": value, "unit": row["unit"]}
    emit(show, Answer("settings", data, plain_meta(), lambda screen: screen.line(_written(value))), Screen.of(show))


def change_setting(home: Home, show: Plain, name: str, value: str | None) -> None:
    """Set one setting, or return it to its default."""
    store.store(name, value, home.home)
    get_setting(home, show, name)


def _rows(home: Home) -> list[dict[str, Any]]:
    """Return the settings in force with their rows."""
    folder = home.home or store.home()
    found = store.load(home.home)
    return [
        {
            "name": row.name,
            "value": str(folder) if row.name == "home" else getattr(found, row.name),
            "default": row.default,
            "unit": row.unit,
            "help": row.help,
        }
        for row in store.ROWS
    ]


def _written(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_written(each)}" for key, each in cast("dict[str, Any]", value).items()) or "unset"
    return ",".join(f"{each:g}" for each in cast("tuple[float, ...]", value)) if isinstance(value, tuple) else str(value)
