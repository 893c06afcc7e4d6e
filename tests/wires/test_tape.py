"""Frames on disk come back as they were, in order, and as the same records."""

import json

import pytest
from wires_scene import SPEC, Invented

from liqscape.errors import BadArgument, NoData
from liqscape.venues import tape
from liqscape.venues.tape import TapeWriter

T = 1_790_000_000_000_000_000
HOUR = 3600 * 10**9
SPECS = {"invented": {"BTCUSDT": SPEC}}


def write(folder, frames):
    with TapeWriter(folder, SPECS) as writer:
        for recv_ns, line, frame in frames:
            writer.write("invented", "prints", line, recv_ns, frame)


def test_frames_come_back_in_order_of_arrival(tmp_path):
    write(tmp_path / "t", [(T, 0, "p1"), (T + 1, 1, b"\x00\xff"), (T + HOUR, 0, "p2"), (T + 2 * HOUR, 1, "ü")])
    found = [(ns, line, frame) for ns, _, _, line, frame in tape.frames(tmp_path / "t")]
    assert found == [(T, 0, "p1"), (T + 1, 1, b"\x00\xff"), (T + HOUR, 0, "p2"), (T + 2 * HOUR, 1, "ü")]


def test_playing_gives_the_records_and_tells_what_is_corrupt(tmp_path):
    write(tmp_path / "t", [(T, 0, "p1"), (T + 1, 0, "!"), (T + 2, 1, "p1"), (T + 3, 0, "d")])
    told = []
    batches = list(tape.play(tmp_path / "t", {"invented": Invented()}, lambda *a: told.append(a)))
    assert [(b.line, b.recv_ns, b.records[0].price) for b in batches] == [(0, T, 1.0), (1, T + 2, 1.0)]
    assert [(key, stream, frame) for key, stream, frame, _ in told] == [("invented", "prints", "!")]


def test_a_tape_is_continued(tmp_path):
    write(tmp_path / "t", [(T, 0, "p1")])
    write(tmp_path / "t", [(T + 5, 0, "p2")])
    assert [frame for *_, frame in tape.frames(tmp_path / "t")] == ["p1", "p2"]
    assert tape.tape_specs(tmp_path / "t") == SPECS


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_cut_file_is_read_up_to_its_last_whole_frame(tmp_path, cut):
    write(tmp_path / "t", [(T + i, 0, f"p{i} " + "x" * i) for i in range(50)])
    (path,) = (tmp_path / "t").glob("*/*.gz")
    path.write_bytes(path.read_bytes()[:-cut])
    found = [frame for *_, frame in tape.frames(tmp_path / "t")]
    assert found == [f"p{i} " + "x" * i for i in range(len(found))]


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(BadArgument, match="holds other files"):
        TapeWriter(tmp_path, SPECS)


def test_no_tape_and_no_known_adapter_are_said(tmp_path):
    with pytest.raises(NoData, match=r"no tape\.json"):
        list(tape.frames(tmp_path)) or tape.tape_specs(tmp_path)
    write(tmp_path / "t", [(T, 0, "p1")])
    with pytest.raises(NoData, match="no frame of a known adapter"):
        list(tape.play(tmp_path / "t", {}))
    assert json.loads((tmp_path / "t" / "tape.json").read_text())["version"] == 1
