"""`liqscape`: the program. Puts the commands together and turns every error into a message and an exit status.

Exit: 0 done, 1 unexpected, 2 usage, 3 no data, 4 older than --max-age, 5 no venue answered, 6 below --require, 7 warming up,
10 --exit-if is true, 20 a gate was missed or the ledger changed, 21 doctor warns, 22 doctor fails, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, cast

import typer

from liqscape.cli import cascades, live, machine, readings, record, serve
from liqscape.cli.app import app
from liqscape.errors import BadArgument, LiqscapeError

INTERRUPTED = 130
# Typer brings its own copy of click, or uses the installed one: this is the class of every complaint about words, either way.
_UsageError = cast("type[Exception]", typer.BadParameter.__bases__[0])


# Importing these modules adds their commands to the program.
_ADDED = (readings, cascades, record, live, serve, machine)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(args=words, prog_name="liqscape", standalone_mode=False)
        sys.stdout.flush()
    except LiqscapeError as error:
        return _report(error, words)
    except _UsageError as error:
        return _report(_usage(error), words)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`): nothing is wrong. Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in words:
            raise
        return _report(_unexpected(error), words)
    if status == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return status if isinstance(status, int) else 0


def _report(error: LiqscapeError, words: Sequence[str]) -> int:
    """Say what went wrong: as the error shape on stdout if JSON was asked for, else on stderr; return the exit status."""
    if "--json" in words or "--ndjson" in words:
        from liqscape.api.envelope import encode, error_envelope

        print(encode(error_envelope(error)).decode())
        return error.exit_status
    seen = sys.stderr.isatty() and "NO_COLOR" not in os.environ and "--no-color" not in words
    print(typer.style("error:", bold=True, fg="red") if seen else "error:", error.message, file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)
    return error.exit_status


def _usage(error: Exception) -> LiqscapeError:
    """Turn a complaint about words into an error of the tree."""
    found = cast(Any, error)
    context = getattr(found, "ctx", None)
    path = context.command_path if context is not None else "liqscape"
    return BadArgument(" ".join(str(found.format_message()).split()), hint=f"`{path} --help` shows how it is written.")


def _unexpected(error: Exception) -> LiqscapeError:
    """Say what happened in one line, and how to tell us."""
    return LiqscapeError(
        f"unexpected {type(error).__name__}: {error}",
        hint="Run the same command with --debug and report what it prints.",
        context={"type": type(error).__name__},
    )
