"""Every route of the description: what it answers is what it describes, and every error it declares can be had."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
from served import Asker

from liqscape.server.app import create_app
from liqscape.server.options import Options

TOKEN = "a-token-of-some-length"
TYPES = Path(__file__).parents[2] / "web" / "src" / "lib" / "openapi.d.ts"
# Words without which a route has nothing to say.
NEEDED = {"/api/v1/{instrument}/fuel": "since=24h", "/api/v1/{instrument}/heatmap": "interval=6h&rows=40"}
DOCUMENT = create_app(Options()).openapi()
ROUTES = sorted(DOCUMENT["paths"])


@pytest.fixture(scope="module")
def spare(home):
    """A server that asks for a token, one that allows a single request, and one whose store is broken by a test."""
    made = {
        401: Asker(home, token=TOKEN),
        429: Asker(home, requests_per_minute=1),
        500: Asker(home),
    }
    yield made
    for each in made.values():
        each.close()


@pytest.fixture(scope="module")
def grid(get):
    return get("/api/v1/BTC/heat").json()["data"]


def conforms(content, found, status):
    """Check a JSON answer against what the description says of a status."""
    described = DOCUMENT["paths"][found]["get"]["responses"][str(status)]
    reference = described["content"]["application/json"]["schema"]
    jsonschema_rs.validator_for({**reference, "components": DOCUMENT["components"]}).validate(json.loads(content))


def address(path, grid, words="", instrument="BTC"):
    filled = path.format(instrument=instrument, grid=grid["grid"], level=0, index=grid["tiles"][0][1])
    query = "&".join(part for part in (NEEDED.get(path, ""), words) if part)
    return f"{filled}?{query}" if query else filled


def test_the_description_is_whole():
    jsonschema_rs.meta.validate({"components": DOCUMENT["components"]})
    assert len(ROUTES) >= 20
    for path, found in DOCUMENT["paths"].items():
        assert list(found) == ["get"], path
        operation = found["get"]
        assert operation["description"], path
        assert {"200", "304", "401", "403", "422", "429", "500"} <= set(operation["responses"]), path
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["schema"].get("type") == "integer", (path, parameter["name"])
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT)))
    assert used <= set(DOCUMENT["components"]["schemas"])
    # Every word of data has a type: no part of an envelope is described as "anything".
    for name, shape in DOCUMENT["components"]["schemas"].items():
        if name.endswith("Answer"):
            assert shape["properties"]["data"], name


@pytest.mark.parametrize("path", ROUTES)
def test_a_route_answers_what_it_describes(get, grid, path):
    answer = get(address(path, grid))
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]
    if kind == "application/json":
        conforms(answer.content, path, 200)
    tagged = answer.headers.get("etag")
    if tagged and kind != "application/json":
        assert get(address(path, grid), if_none_match=tagged).status_code == 304


@pytest.mark.parametrize("path", ROUTES)
def test_a_route_gives_every_error_it_declares(get, grid, spare, monkeypatch, path):
    declared = {int(status) for status in DOCUMENT["paths"][path]["get"]["responses"]} - {200, 304}
    unknown = {"grid": "0" * 18, "tiles": grid["tiles"]}
    seen = {}
    seen[422] = get(address(path, grid, "nonsense=1"))
    seen[401] = spare[401](address(path, grid))
    seen[403] = get(address(path, grid), method="POST")
    spare[429](address(path, grid))
    seen[429] = spare[429](address(path, grid))
    if 404 in declared:
        seen[404] = get(address(path, unknown, instrument="DOGE"))
    if 412 in declared:
        seen[412] = get(address(path, grid, "require=tested"))
    if 503 in declared:
        seen[503] = get(address(path, grid, "max_age=1s"))
    server = spare[500].app.state.server

    def broken(*_, **__):
        raise RuntimeError("a defect of ours")

    for thing, name in ((server.memory, "answer"), (server.memory, "quick")):
        monkeypatch.setattr(thing, name, broken)
    seen[500] = spare[500](address(path, grid))
    assert set(seen) == declared
    for status, answer in seen.items():
        assert answer.status_code == status, (status, answer.text)
        conforms(answer.content, path, status)
    assert "a defect of ours" in seen[500].json()["error"]["message"]


def test_the_types_of_the_browser_are_those_of_the_description():
    """`npm run types` writes them from this description: their names and words must be its own."""
    text = TYPES.read_text(encoding="utf-8")
    paths = set(re.findall(r'^  "(/[^"]+)": \{', text, re.MULTILINE))
    assert paths == set(ROUTES), "out of date: run `npm run types` in web/ against a server of this source"
    for name, shape in DOCUMENT["components"]["schemas"].items():
        block = re.search(rf"^    {re.escape(name)}: (?:\{{(.*?)^    \}};|.*?;$)", text, re.MULTILINE | re.DOTALL)
        assert block, f"{name} is missing: run `npm run types` in web/"
        words = set(re.findall(r"^      (\w+)\??:", block[1] or "", re.MULTILINE))
        assert words == set(shape.get("properties", {})), f"{name} is out of date: run `npm run types` in web/"
