"""schemathesis over the whole description: never a defect of ours, never an answer that is not described."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from served import running

from liqscape.server.app import create_app
from liqscape.server.options import Options

load_all_checks()
_CHECKS = [
    CHECKS.get_one(name)
    for name in (
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    )
]
_QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
# Words that mean something, mixed with what is generated: else nearly all would end at the first check.
_WORDS = {
    "as_of": "2021-01-01T00:00Z",
    "within": "5%",
    "window": "3d",
    "since": "24h",
    "usd": "1M,5M",
    "shock": "1M",
    "interval": "6h",
    "step": "0.5%",
    "range": "10000-90000",
    "leverage": "10-50",
    "min_usd": "1K",
}


@pytest.fixture(scope="module")
def server(home):
    with running(home) as (host, app):
        yield f"http://{host}", app


DESCRIBED = schemathesis.openapi.from_dict(create_app(Options()).openapi())
ROUTES = sorted(DESCRIBED)
_COMMON = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": _QUIET}
_COMMON |= {"phases": [Phase.explicit, Phase.generate]}


@DESCRIBED.hook
def map_path_parameters(context, path_parameters):
    """Let half of the requests be about what is stored."""
    if path_parameters and "instrument" in path_parameters and len(str(path_parameters["instrument"])) % 2:
        path_parameters["instrument"] = "BTC"
    return path_parameters


@DESCRIBED.hook
def map_query(context, query):
    """Give every other word a value that can be read."""
    for k, name in enumerate(sorted(query or {})):
        if name in _WORDS and (len(str(query[name])) + k) % 2:
            query[name] = _WORDS[name]
    return query


def ask_all(path, base, examples, seen):
    """Ask a route for so many generated requests."""

    @settings(max_examples=examples, **_COMMON)
    @given(case=DESCRIBED[path]["GET"].as_strategy())
    def run(case):
        answer = case.call_and_validate(base_url=base, checks=_CHECKS, timeout=60)
        asked_age = "max_age" in (case.query or {})
        assert answer.status_code < 500 or (answer.status_code == 503 and asked_age), answer.text
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1

    run()


def test_nothing_undeclared(server):
    seen = {}
    for path in ROUTES:
        ask_all(path, server[0], 5, seen)
    # The examples reach what answers, not only the first refusal.
    assert {200, 404, 422} <= set(seen), seen
    assert seen[200] > 10


@pytest.mark.long
@pytest.mark.parametrize("path", ROUTES)
def test_nothing_undeclared_at_length(server, path):
    ask_all(path, server[0], 400, {})


def test_it_still_answers(server):
    """After all that."""
    import httpx

    assert httpx.get(f"{server[0]}/api/v1/BTC/now", timeout=30).json()["ok"] is True
