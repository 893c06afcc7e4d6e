from pathlib import Path

import pytest

from liqscape.store import DeltaStore

ROOT = Path(__file__).parents[2]
PACK = ROOT / "../shared/data/btcusdt_backtest"


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return DeltaStore(tmp_path / "store")


@pytest.fixture
def pack() -> Path:
    if not PACK.is_dir():
        pytest.skip("the shared pack is not here")
    return PACK.resolve()
