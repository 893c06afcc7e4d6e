"""The address of a view with an ending is the view as data: the numbers of the map, with what they must not be read without."""

import io

import polars as pl
import pytest
from matplotlib import image
from served import Asker

from liqscape.server.views import UNITS

FORMS = ("json", "csv", "parquet", "png")
# As the page writes it into its address, with everything that only changes how the page looks.
PAGE = (
    "as_of={at}&within=5%25&side=both&look=7d&scale=20K-5M&palette=grey&axis=log&hide=prior,depth&shock=250M&preset=now"
    "&usd=1M,5M&compare=1d&pin=50000&open=table&tab=heat&bench=1"
)


@pytest.fixture(scope="module")
def at(get):
    return get("/api/v1/BTC/now").json()["meta"]["as_of"]


def read_csv(text):
    notes = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    return notes, pl.read_csv(io.StringIO(text), comment_prefix="#")


def test_json_is_the_answer_of_the_map(get, at):
    ours, theirs = get(f"/BTC.json?{PAGE.format(at=at)}", f"/api/v1/BTC/map?as_of={at}&within=5%25")
    assert ours.status_code == 200
    assert ours.headers["etag"] == theirs.headers["etag"]
    assert ours.json()["data"] == theirs.json()["data"]


def test_csv_and_parquet_hold_the_levels_with_units_and_caveats(get, at):
    told = get(f"/api/v1/BTC/map?as_of={at}").json()
    found = get(f"/BTC.csv?as_of={at}")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    notes, table = read_csv(found.text)
    levels = pl.DataFrame(told["data"]["levels"])
    assert table.columns == levels.columns == list(UNITS)
    assert table.height == levels.height
    for side in ("long_usd", "short_usd"):
        assert table[side].sum() == pytest.approx(levels[side].sum(), rel=1e-5)
    joined = "\n".join(notes)
    for code, text in told["meta"]["caveat_texts"].items():
        assert f"{code}: {text}" in notes
    for part in (told["meta"]["inputs_hash"], told["meta"]["as_of"], told["links"]["reproduce"], *UNITS, *UNITS.values()):
        assert part in joined
    content = get(f"/BTC.parquet?as_of={at}").content
    assert pl.read_parquet(io.BytesIO(content)).equals(table.cast(pl.Float64), null_equal=True)
    assert "\n".join(pl.read_parquet_metadata(io.BytesIO(content)).values()).count("USD") > 4


def test_words_of_the_address_are_obeyed(get, at):
    _, near = read_csv(get(f"/BTC.csv?as_of={at}&within=2%25").text)
    assert near["distance"].abs().max() <= 0.02
    assert near.height in (38, 39, 40)
    notes, longs = read_csv(get(f"/BTC.csv?as_of={at}&side=long").text)
    assert longs["short_usd"].sum() == 0.0 < longs["long_usd"].sum()
    assert any(line.startswith("FILTERED: side long") for line in notes)
    price = near["price"]
    _, part = read_csv(get(f"/BTC.csv?as_of={at}&range={price[0]:.0f}-{price[9]:.0f}").text)
    assert 8 <= part.height <= 10
    early = get(f"/BTC.csv?as_of={at[:8]}01T00:00Z&window=3d")
    assert early.status_code in (200, 404)


def test_png_is_the_picture_with_its_alternative_text(get, at):
    found = get(f"/BTC.png?{PAGE.format(at=at)}")
    assert found.headers["content-type"] == "image/png"
    assert found.headers["content-disposition"] == 'inline; filename="liqscape-BTC.png"'
    assert image.imread(io.BytesIO(found.content), format="png").shape[:2] == (900, 1600)
    assert b"Description" in found.content
    assert get(f"/BTC.png?{PAGE.format(at=at)}", if_none_match=found.headers["etag"]).status_code == 304


@pytest.mark.parametrize("form", FORMS)
def test_errors_are_those_of_the_api(get, form):
    for asked, status, code in (
        (f"/DOGE.{form}", 404, "UNKNOWN_INSTRUMENT"),
        (f"/BTC.{form}?as_of=1999-01-01", 404, None),
        (f"/BTC.{form}?nonsense=1", 422, "BAD_ARGUMENT"),
        (f"/BTC.{form}?within=far", 422, "BAD_ARGUMENT"),
        (f"/BTC.{form}?side=up", 422, "BAD_ARGUMENT"),
        (f"/B%20C.{form}", 422, "BAD_ARGUMENT"),
        (f"/BTC.{form}?require=tested", 412, "BELOW_ACCURACY"),
    ):
        answer = get(asked)
        assert answer.status_code == status, (asked, answer.text)
        assert code is None or answer.json()["error"]["code"] == code


@pytest.mark.parametrize("form", FORMS)
def test_the_past_is_kept_and_now_is_asked_for_again(get, at, form):
    past, now = get(f"/BTC.{form}?as_of={at}", f"/BTC.{form}")
    assert past.headers["cache-control"] == "public, max-age=300"
    assert now.headers["cache-control"] == "no-cache"


def test_data_needs_the_token_wherever_it_is(home):
    guarded = Asker(home, token="a-token-of-some-length")
    try:
        for form in FORMS:
            for path in (f"/BTC.{form}", f"/BTC%2E{form}", f"/BTC.{form}%0A", f"/bybit%3ABTCUSDT.{form}"):
                assert guarded(path).status_code in (401, 404), path
            assert guarded(f"/BTC.{form}").status_code == 401
            assert guarded(f"/BTC.{form}", authorization="Bearer a-token-of-some-length").status_code == 200
    finally:
        guarded.close()
