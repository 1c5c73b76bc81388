from pathlib import Path

import pytest
import torch
from lora_wizard.core.training.store import TensorStore, content_key

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}
KEY = content_key(what="test")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    TensorStore(tmp_path).put(KEY, TENSORS)
    return tmp_path


def fresh(folder: Path) -> TensorStore:
    """A store that has nothing in memory yet."""
    return TensorStore(folder)


def test_what_was_put_is_got(stored: Path) -> None:
    got = fresh(stored).get(KEY)
    assert got is not None
    assert got.keys() == TENSORS.keys()
    assert all(torch.equal(got[name], tensor) for name, tensor in TENSORS.items())


def test_every_damaged_byte_is_noticed(stored: Path) -> None:
    path = fresh(stored).path(KEY)
    data = path.read_bytes()
    body = 8 + int.from_bytes(data[:8], "little")
    for place in [*range(8), *range(body, len(data))]:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        assert fresh(stored).get(KEY) is None, place


def test_no_part_of_an_entry_passes_for_it(stored: Path) -> None:
    path = fresh(stored).path(KEY)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert fresh(stored).get(KEY) is None, length
    path.write_bytes(bytes(len(data)))
    assert not fresh(stored).has(KEY)


def test_the_memory_has_a_limit(tmp_path: Path) -> None:
    store = TensorStore(tmp_path, memory_bytes=0)
    store.put(KEY, TENSORS)
    assert store.has(KEY)
    store.path(KEY).unlink()
    assert not store.has(KEY)


def test_keys_tell_parts_apart() -> None:
    assert content_key(a="b", c="") != content_key(a="", c="b")
    assert content_key(a=1) != content_key(a="1")
    assert content_key(a=1, b=2) == content_key(b=2, a=1)
