"""How commands are declared: options in groups, and help that starts with examples.

A parameter whose type is a dataclass stands for its fields: each becomes an option, and the command receives the dataclass.
So a flag is written once and means the same everywhere.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

READ, KEEP, GENERAL = "Read a market", "Data and the program itself", "Options"
_ORDER = ("Arguments", READ, KEEP)
_INDENT = "  "


class Command(TyperCommand):
    """A command whose help reads: what it does, examples, usage, options by group."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help text."""
        _write_intro(self, formatter)
        parameters = cast("list[Any]", self.get_params(ctx))
        words = [parameter.metavar for parameter in parameters if parameter.param_type_name == "argument"]
        formatter.write_usage(ctx.command_path, " ".join(["[OPTIONS]", *words]))
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                sections.setdefault("Arguments", []).append((parameter.metavar, parameter.help or ""))
            elif (record := parameter.get_help_record(ctx)) is not None:
                sections.setdefault(_panel(parameter), []).append(record)
        for panel in sorted(sections, key=lambda name: (name != "Arguments", name == GENERAL)):
            with formatter.section(heading(panel)):
                formatter.write_dl(sections[panel])


class Group(TyperGroup):
    """The program, or a command with commands of its own, with its commands by group."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help text."""
        _write_intro(self, formatter)
        self.format_usage(ctx, formatter)
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            found = cast(Any, self.get_command(ctx, name))
            if found is not None and not found.hidden:
                sections.setdefault(_panel(found), []).append((name, found.get_short_help_str(200)))
        for panel, rows in sorted(sections.items(), key=lambda item: _ORDER.index(item[0]) if item[0] in _ORDER else len(_ORDER)):
            with formatter.section(heading(panel)):
                formatter.write_dl(rows)
        options = [parameter.get_help_record(ctx) for parameter in cast("list[Any]", self.get_params(ctx))]
        with formatter.section(heading(GENERAL)):
            formatter.write_dl([record for record in options if record is not None])


def command(
    app: typer.Typer, name: str, *, panel: str, examples: Sequence[str]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command; its docstring is the help, `examples` come first in it."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        app.command(name, cls=Command, epilog="\n".join(examples), rich_help_panel=panel)(expanded(function))
        return function

    return register


def group(app: typer.Typer | None, name: str, *, panel: str | None = None, summary: str, examples: Sequence[str]) -> typer.Typer:
    """Return a new program, or a command with commands of its own if `app` is given."""
    made = typer.Typer(
        name=name,
        cls=Group,
        help=summary,
        epilog="\n".join(examples),
        rich_markup_mode=None,
        add_completion=app is None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    if app is not None:
        app.add_typer(made, name=name, rich_help_panel=panel)
    return made


def expanded(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function with every dataclass parameter replaced by that dataclass's fields."""
    hints = get_type_hints(function, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, tuple[Any, list[str]]] = {}
    for parameter in inspect.signature(function).parameters.values():
        kind = hints[parameter.name]
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            parameters.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        types = get_type_hints(kind, include_extras=True)
        fields = dataclasses.fields(kind)
        groups[parameter.name] = (kind, [field.name for field in fields])
        for field in fields:
            default = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
            parameters.append(
                inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=types[field.name])
            )

    def call(**values: Any) -> None:
        made = {name: kind(**{field: values.pop(field) for field in fields}) for name, (kind, fields) in groups.items()}
        function(**made, **values)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__dict__["__signature__"] = inspect.Signature(parameters)
    return call


def heading(text: str) -> str:
    """Make a heading bold where a reader sees it."""
    seen = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return typer.style(text, bold=True) if seen else text


def _write_intro(shown: Any, formatter: Any) -> None:
    for paragraph in inspect.cleandoc(shown.help or "").split("\n\n"):
        formatter.write_text(" ".join(paragraph.split()))
        formatter.write_paragraph()
    if shown.epilog:
        formatter.write(heading("Examples") + ":\n")
        for line in str(shown.epilog).splitlines():
            formatter.write(f"{_INDENT}{line}\n")
        formatter.write_paragraph()


def _panel(item: Any) -> str:
    panel = getattr(item, "rich_help_panel", None)
    return panel if isinstance(panel, str) else GENERAL
