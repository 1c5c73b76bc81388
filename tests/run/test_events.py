from __future__ import annotations

import json
import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.run.events import EventReader, EventWriter, decode, encode

from .conftest import python

VALID = st.builds(
    lambda kind, fields: encode({"kind": kind, "time": 1.0, **fields}),
    st.text(),
    st.dictionaries(
        st.sampled_from(["a", "b"]), st.none() | st.floats() | st.text() | st.lists(st.integers())
    ),
)
GARBAGE = st.binary().map(lambda data: data + b"\n") | st.sampled_from(
    [b'{"kind":"st\n', b"[" * 100_000 + b"\n", b"\n", b'{"kind":3}\n', b'"x"\n', b"\xff\n"]
)


def read_all(path: Path) -> list[dict[str, object]]:
    return EventReader(path).read()


@given(lines=st.lists(VALID | GARBAGE), cuts=st.lists(st.integers(0, 2000)), tail=st.binary())
def test_any_portions_give_the_same_events(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: list[int], tail: bytes
) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    tail = tail.replace(b"\n", b"")
    data = b"".join(lines) + tail
    whole = [event for line in lines for part in line.split(b"\n") if (event := decode(part))]
    reader, found, end = EventReader(path), [], 0
    for cut in [*cuts, len(data)]:
        path.write_bytes(data[: (end := max(end, min(cut, len(data))))])
        found += reader.read()
    assert found == whole
    assert reader.offset == len(data) - len(tail)


@given(
    event=st.recursive(
        st.floats() | st.text() | st.binary(),
        lambda inner: st.dictionaries(st.integers() | st.text(), inner) | st.lists(inner),
    )
)
def test_anything_becomes_one_line_of_strict_json(event: object) -> None:
    line = encode({"kind": "x", "value": event})
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert line.isascii()
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_writers_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    script = (
        "import sys; from pathlib import Path\n"
        "from lora_wizard.core.run.events import EventWriter\n"
        "writer = EventWriter(Path(sys.argv[1]))\n"
        "for i in range(500): writer.emit('step', writer=sys.argv[2], step=i, text='x' * i)"
    )
    processes = [python(script, path, number) for number in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert len(read_all(path)) == 2000
    for number in range(4):
        steps = [event["step"] for event in read_all(path) if event["writer"] == str(number)]
        assert steps == list(range(500))


def test_short_writes_cost_one_line_and_are_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    assert writer.emit("phase", phase="one")
    try:
        # As on a disk with 27 bytes left: the kernel writes as much as fits.
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 27, before[1]))
        assert not writer.emit("phase", phase="two")
        assert not writer.emit("phase", phase="three")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert writer.emit("phase", phase="four")
    kinds = [(event["kind"], event.get("phase")) for event in read_all(path)]
    assert kinds == [("phase", "one"), ("problem", None), ("phase", "four")]
    assert "2 lines" in str(read_all(path)[1]["message"])


def test_a_line_torn_by_a_kill_is_closed_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode({"kind": "a"}) + b'{"kind":"b","ti')
    assert [event["kind"] for event in read_all(path)] == ["a"]
    EventWriter(path).emit("c")
    assert [event["kind"] for event in read_all(path)] == ["a", "c"]


def test_nothing_about_the_file_reaches_the_writer(tmp_path: Path) -> None:
    assert not EventWriter(tmp_path / "no" / "folder").emit("step")
    writer = EventWriter(tmp_path / "late" / "events.jsonl")
    assert not writer.emit("step")
    (tmp_path / "late").mkdir()
    assert writer.emit("step")


def test_a_line_without_end_takes_no_memory_and_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("wb") as file:
        file.write(encode({"kind": "before"}))
        file.write(b"x" * (5 << 20) + b'{"kind":"inside"}\n')
        file.write(encode({"kind": "after"}))
    assert [event["kind"] for event in read_all(path)] == ["before", "after"]


def test_a_replaced_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode({"kind": "a"}) * 3)
    reader = EventReader(path)
    assert len(reader.read()) == 3
    path.unlink()
    assert reader.read() == []
    path.write_bytes(encode({"kind": "b"}))
    assert [event["kind"] for event in reader.read()] == ["b"]
    assert path.stat().st_size == reader.offset
