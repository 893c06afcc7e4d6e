"""What is installed has the page: a wheel and a source distribution made where no Node is on the path."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_a_wheel_made_without_node_has_the_dashboard(tmp_path):
    # A copy without what was built, so that the page must be built from its sources.
    source = tmp_path / "source"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    # Everything of the machine but Node.
    programs = tmp_path / "programs"
    programs.mkdir()
    for each in [*Path("/usr/bin").iterdir(), *Path("/bin").iterdir()]:
        if not each.name.startswith(("node", "npm", "npx", "corepack")) and not (programs / each.name).is_symlink():
            (programs / each.name).symlink_to(each)
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{programs}"}
    environment.pop("LIQSCAPE_SKIP_WEB", None)
    found = subprocess.run(
        [python, "-m", "pip", "wheel", str(source), "--no-deps", "--wheel-dir", tmp_path / "wheels"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    (wheel,) = (tmp_path / "wheels").glob("liqscape-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "liqscape/server/static/index.html" in names
    assert any(name.startswith("liqscape/server/static/assets/") and name.endswith(".js") for name in names)
    assert "liqscape/server/method_pages/map.md" in names
    assert "liqscape/server/method.css" in names
    assert not [name for name in names if "node_modules" in name]


@pytest.mark.long
def test_a_source_distribution_carries_the_built_page(tmp_path):
    script = "from hatchling.build import build_sdist; import sys; print(build_sdist(sys.argv[1]))"
    found = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-3000:]
    (made,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        names = archive.getnames()
    assert any(name.endswith("src/liqscape/server/static/index.html") for name in names)
    assert any(name.endswith("web/src/App.svelte") for name in names)
    assert any(name.endswith("docs/methods/map.md") for name in names)
    assert not [name for name in names if "node_modules" in name]
