"""Settings: one row each (name, default, unit, help). Read from the environment and from `settings.toml` in the home folder.

`LIQSCAPE_HOME` says where the store and the settings live; any other setting may be given as `LIQSCAPE_<NAME>`, which wins
over the file. Unknown names are refused. Help and docs are printed from `ROWS`.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, NamedTuple, cast

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from liqscape.errors import BadArgument
from liqscape.units import parse_duration_ns

FILE = "settings.toml"
# Settings that hold a value for each of many names.
TABLES = {"reported_share": "VENUE", "venue_urls": "ADAPTER.HOST"}


class Settings(BaseSettings):
    """All settings with their defaults; build it with `load`."""

    model_config = SettingsConfigDict(env_prefix="LIQSCAPE_", extra="forbid", frozen=True)

    window: str = Field(
        "1y", description="Stretch of stored bars that builds the state of a map.", json_schema_extra={"unit": "duration"}
    )
    heatmap_window: str = Field(
        "30d", description="Stretch of time that a heatmap shows.", json_schema_extra={"unit": "duration"}
    )
    heatmap_floor_usd: float | None = Field(
        None,
        gt=0.0,
        description="Lower end of the heatmap's dollar scale; unset: chosen from the map.",
        json_schema_extra={"unit": "USD per 0.1 %"},
    )
    heatmap_ceiling_usd: float | None = Field(
        None,
        gt=0.0,
        description="Upper end of the heatmap's dollar scale; unset: chosen from the map.",
        json_schema_extra={"unit": "USD per 0.1 %"},
    )
    time_zone: str = Field(
        "UTC", description="Time zone that tables and pictures show; JSON is always UTC.", json_schema_extra={"unit": "IANA name"}
    )
    reported_share: dict[str, tuple[float, float, float]] = Field(
        default_factory=dict[str, tuple[float, float, float]],
        description="Per venue, the share of liquidated dollars that its feed shows: median, low, high; for `--reading true`.",
        json_schema_extra={"unit": "fraction"},
    )
    stale_after: str = Field(
        "10m",
        description="A venue whose newest bar is this much older than the newest of all is left out of a joined map, and named.",
        json_schema_extra={"unit": "duration"},
    )
    position_max_age: str = Field(
        "3h",
        description="A followed account whose last look is older counts as unknown: its positions are modelled again.",
        json_schema_extra={"unit": "duration"},
    )
    measured_prior: bool = Field(
        default=False,
        description="Let followed accounts shape the prior of their instrument's map (docs/truth.md: no gain was found).",
        json_schema_extra={"unit": "true or false"},
    )
    venue_urls: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="Other base addresses of a venue, by adapter and host: `venue_urls.bybit_linear.rest`.",
        json_schema_extra={"unit": "address"},
    )
    archive_url: str = Field(
        "https://data.binance.vision",
        description="Where `liqscape backfill --archive` finds Binance's bulk files.",
        json_schema_extra={"unit": "address"},
    )

    @field_validator("window", "heatmap_window", "stale_after", "position_max_age")
    @classmethod
    def _duration(cls, value: str) -> str:
        parse_duration_ns(value)
        return value

    @field_validator("venue_urls")
    @classmethod
    def _urls(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not all(name.partition(".")):
                raise ValueError(f"{name}: expected the name of an adapter and of a host, such as bybit_linear.rest")
        return {name: _address(url) for name, url in value.items()}

    @field_validator("archive_url")
    @classmethod
    def _url(cls, value: str) -> str:
        return _address(value)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"expected an IANA time zone such as UTC or Europe/Berlin, received {value!r}") from error
        return value

    @field_validator("reported_share")
    @classmethod
    def _shares(cls, value: dict[str, tuple[float, float, float]]) -> dict[str, tuple[float, float, float]]:
        for venue, (median, low, high) in value.items():
            if not 0.0 < low <= median <= high <= 1.0:
                raise ValueError(f"{venue}: expected median, low, high with 0 < low <= median <= high <= 1")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose values come as arguments."""
        return env_settings, init_settings


def _address(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if scheme not in ("http", "https", "ws", "wss") or not mark or not rest.strip("/"):
        raise ValueError(f"expected an address such as https://api.example.com, received {url!r}")
    return url.rstrip("/")


class Row(NamedTuple):
    """One setting for people."""

    name: str
    default: Any
    unit: str
    help: str


def _rows() -> tuple[Row, ...]:
    rows: list[Row] = [Row("home", str(_default_home()), "folder", "Where the store and the settings live (LIQSCAPE_HOME only).")]
    for name, info in Settings.model_fields.items():
        extra = cast("dict[str, str]", info.json_schema_extra)
        unit = extra["unit"]
        rows.append(Row(name, info.get_default(call_default_factory=True), unit, info.description or ""))
    return tuple(rows)


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("liqscape", appauthor=False))


def home() -> Path:
    """Return the folder of the store and the settings: LIQSCAPE_HOME, or the platform's user data folder."""
    named = os.environ.get("LIQSCAPE_HOME")
    return Path(named).expanduser() if named else _default_home()


def load(folder: Path | None = None) -> Settings:
    """Read the settings of a home folder.

    Raises
    ------
    BadArgument
        If the file is no TOML, or names or values are not ones that `ROWS` knows.
    """
    path = (folder or home()) / FILE
    values = _read(path)
    known = set(Settings.model_fields)
    strange = sorted(key for key in os.environ if key.startswith("LIQSCAPE_") and key[9:].lower() not in known | {"home"})
    if strange:
        raise BadArgument(f"environment: unknown setting {strange[0]}", hint="`liqscape settings` lists the known ones.")
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        message = f"settings ({path}): {name}: {first['msg']}, received {first['input']!r}"
        raise BadArgument(message, hint="`liqscape settings` lists names, units and defaults.") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadArgument(f"settings ({path}): not TOML: {error}", hint="Mend the file or remove it.") from None


def store(name: str, value: str | None, folder: Path | None = None) -> Settings:
    """Set one setting in the file (None removes it) and return all of them; nothing is written if the value is bad.

    Parameters
    ----------
    name
        A row's name; `reported_share.VENUE` and `venue_urls.ADAPTER.HOST` for one of many.
    value
        As text: a number, a duration, an address, or `median,low,high`.
    """
    folder = folder or home()
    values = _read(folder / FILE)
    top, _, inner = name.partition(".")
    if top not in Settings.model_fields or (top in TABLES) != bool(inner):
        many = " and ".join(f"{table}.{key}" for table, key in TABLES.items())
        raise BadArgument(f"settings: unknown name {name!r}", hint=f"`liqscape settings` lists them; one of many is {many}.")
    table: dict[str, Any] = values.setdefault(top, {}) if inner else values
    key = inner or top
    if value is None:
        table.pop(key, None)
    else:
        table[key] = _typed(top, value)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise BadArgument(
            f"settings: {name}: {error.errors()[0]['msg']}, received {value!r}", hint="Nothing was changed."
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(_toml(values), encoding="utf-8")
    return settings


def _typed(top: str, value: str) -> Any:
    try:
        if top == "reported_share":
            return [float(part) for part in value.split(",")]
        return float(value) if top.endswith("_usd") else value
    except ValueError:
        raise BadArgument(f"settings: {top}: expected a number, received {value!r}", hint="Nothing was changed.") from None


def _toml(values: dict[str, Any]) -> str:
    def line(key: str, value: Any) -> str:
        text = '"' + value.replace('"', '\\"') + '"' if isinstance(value, str) else str(value)
        name = f'"{key}"' if "." in key else key  # a bare key with a dot is a table in a table
        return f"{name} = {text}"

    tables: dict[str, dict[str, Any]] = {key: value for key, value in values.items() if isinstance(value, dict)}
    flat = [line(key, value) for key, value in values.items() if key not in tables]
    for name, table in tables.items():
        if table:
            flat += ["", f"[{name}]", *(line(key, value) for key, value in table.items())]
    return "\n".join(flat) + "\n"


ROWS: tuple[Row, ...] = _rows()
