"""Who may ask, how often, how long; what every answer carries; and what a reader that has an answer already is told."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import pytest
import zstandard
from served import Asker

from liqscape.errors import BadArgument
from liqscape.server.bodies import Body, has_it
from liqscape.server.gate import SAFETY
from liqscape.server.options import Options
from liqscape.server.pages import STATIC

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def guarded(home):
    asker = Asker(home, host="0.0.0.0", token=TOKEN)
    yield asker
    asker.close()


def error(answer):
    found = answer.json()
    assert found["ok"] is False
    assert set(found["error"]) == {"code", "message", "hint", "context", "retry_after_s"}
    return answer.status_code, found["error"]["code"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/DOGE/now", 404, "UNKNOWN_INSTRUMENT"),
        ("/api/v1/BTC/now?as_of=1999-01-01", 404, "OUT_OF_RECORD"),
        ("/api/v1/BTC/now?nonsense=1", 422, "BAD_ARGUMENT"),
        ("/api/v1/BTC/now?token=1", 422, "BAD_ARGUMENT"),
        ("/api/v1/BTC/map?within=-3%25", 422, "BAD_ARGUMENT"),
        ("/api/v1/BTC/map?within=%00", 422, "BAD_ARGUMENT"),
        ("/api/v1/BTC/now?max_age=1s", 503, "STALE_INPUT"),
        ("/api/v1/BTC/now?require=tested", 412, "BELOW_ACCURACY"),
        ("/api/v1/nothing", 404, "NO_DATA"),
        ("/api/v1/heat/000000000000000000/0/0", 404, "NO_DATA"),
        ("/api/v1/heat/000000000000000000/candles", 404, "NO_DATA"),
        ("/api/v1/%2e%2e%2fetc/now", 404, "NO_DATA"),
        ("/api/v1/..%2f..%2fetc%2fpasswd/map", 404, "NO_DATA"),
        ("/api/v1/B%00C/now", 422, "BAD_ARGUMENT"),
        (f"/api/v1/{'B' * 49}/now", 422, "BAD_ARGUMENT"),
        (f"/api/v1/BTC/now?venue={'b' * 4096}", 422, "BAD_ARGUMENT"),
    ],
)
def test_errors_have_one_shape(get, path, status, code):
    answer = get(path)
    assert error(answer) == (status, code)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_only_reads(get, method):
    assert error(get("/api/v1/BTC/now", method=method)) == (403, "READ_ONLY")


def test_head_says_what_get_says_without_the_body(get):
    whole, head = get("/api/v1/BTC/now"), get("/api/v1/BTC/now", method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert int(head.headers["content-length"]) > 1000


@pytest.mark.parametrize("path", ["/api/v1/BTC/now", "/api/v1/nothing", "/api/v1/metrics", "/", "/api/v1/BTC/now?x=1"])
def test_every_answer_is_safe_in_a_browser(get, path):
    headers = get(path).headers
    assert {name: headers[name] for name in SAFETY} == SAFETY
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"https?:|\*", headers["content-security-policy"])


@pytest.mark.parametrize(("base", "status"), [("http://evil.example", 403), ("http://127.0.0.1:1", 200), ("http://[::1]", 200)])
def test_a_foreign_host_name_is_another_pages_trick(get, base, status):
    assert get("/api/v1/health", base=base).status_code == status


def test_another_address_needs_a_token(home):
    with pytest.raises(BadArgument, match="needs a token"):
        Options(home=home, host="0.0.0.0").checked()
    with pytest.raises(BadArgument, match="at least 16"):
        Options(home=home, host="0.0.0.0", token="short").checked()


def test_the_api_asks_for_the_token_and_the_page_does_not(guarded):
    assert error(guarded("/api/v1/BTC/now")) == (401, "READ_ONLY")
    assert error(guarded("/metrics")) == (401, "READ_ONLY")
    for wrong in ("Bearer wrong", f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x", "Bearer \xe9"):
        assert error(guarded("/api/v1/BTC/now", authorization=wrong.encode("latin-1"))) == (401, "READ_ONLY")
    assert guarded("/api/v1/BTC/now", authorization=f"Bearer {TOKEN}").status_code == 200
    assert guarded("/").status_code in (200, 503)  # 503: the page is not built


def test_what_a_token_guards_is_kept_by_nobody_between(guarded):
    said = guarded("/api/v1/BTC/map", authorization=f"Bearer {TOKEN}")
    as_of = said.json()["meta"]["as_of"]
    past = guarded(f"/api/v1/BTC/map?as_of={as_of}", authorization=f"Bearer {TOKEN}")
    assert past.headers["cache-control"] == "private, max-age=300"
    assert "authorization" in past.headers["vary"]


def test_too_many_requests_of_one_address_wait(home):
    asker = Asker(home, requests_per_minute=30)
    try:
        answers = asker(*["/api/v1/settings"] * 40)
        assert [a.status_code for a in answers].count(200) == 30
        last = answers[-1]
        assert error(last) == (429, "RATE_LIMIT")
        assert 0 < last.json()["error"]["retry_after_s"] <= 2.0
        assert int(last.headers["retry-after"]) >= 1
    finally:
        asker.close()


def test_headers_that_are_too_long_are_refused(get):
    assert error(get("/api/v1/health", x_long="a" * 17_000)) == (422, "BAD_ARGUMENT")


def test_one_has_it_already(get):
    as_of = get("/api/v1/BTC/map").json()["meta"]["as_of"]
    path = f"/api/v1/BTC/map?as_of={as_of}"
    first = get(path)
    assert first.headers["cache-control"] == "public, max-age=300"
    again = get(path, if_none_match=f'"other", {first.headers["etag"]}')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_an_answer_about_now_is_never_younger_than_it_is(get):
    """Rows stay the same, the clock does not: a reader that is told "unchanged" would think its data fresh."""
    import time

    first = get("/api/v1/BTC/now")
    assert first.headers["cache-control"] == "no-cache"
    time.sleep(1.2)
    later = get("/api/v1/BTC/now", if_none_match=first.headers["etag"])
    assert later.status_code == 200
    grown = later.json()["meta"]["age_s"] - first.json()["meta"]["age_s"]
    assert 1.0 < grown < 10.0
    part = later.json()["meta"]["coverage"]["parts"][0]["age_s"] - first.json()["meta"]["coverage"]["parts"][0]["age_s"]
    assert part == pytest.approx(grown, abs=1e-6)


def test_bytes_are_packed_as_the_reader_takes_them():
    body = Body.of(b"x" * 5000)
    assert [body.encoding(a) for a in ("zstd, gzip", "gzip", "br", "", "zstd;q=0, gzip", "gzip;q=0")] == [
        *["zstd", "gzip", None, None],
        *["gzip", None],
    ]
    assert zstandard.ZstdDecompressor().decompress(body.packed("zstd")) == body.plain == gzip.decompress(body.packed("gzip"))
    assert Body.of(b"x").encoding("zstd") is None
    assert has_it("*", body.etag)
    assert not has_it('"y"', body.etag)


def test_the_page_needs_no_style_but_its_own_and_the_logos():
    """A style attribute or a new version of the chart library would be refused by the browser: it is seen here first."""
    web = Path(__file__).parents[2] / "web"
    for source in [*(web / "src").rglob("*.svelte"), *(web / "src").rglob("*.ts"), web / "index.html"]:
        text = source.read_text(encoding="utf-8")
        assert not re.search(r"""\sstyle=["{]|cssText|innerHTML|\{@html|setAttribute\(["']style""", text), source
    allowed = re.search(r"style-src 'self' 'sha256-([^']+)'", SAFETY["content-security-policy"])[1]
    built = [*(STATIC / "assets").glob("*.js"), *(web / "node_modules/lightweight-charts/dist").glob("*.production.mjs")]
    styles = [
        one for path in built for one in re.findall(r"[`\"'](a#tv-attr-logo\{[^`\"']*)[`\"']", path.read_text(encoding="utf-8"))
    ]
    assert {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in styles} <= {allowed}
