"""Headers of safetensors files, good ones and hostile ones."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from lora_wizard.core.weights.header import MAX_HEADER_BYTES, HeaderError, read_header
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

GOOD = {
    "a.alpha": torch.tensor(4.0),
    "a.lora_down.weight": torch.randn(4, 6, 1, 1),
    "b": torch.zeros(0, 3, dtype=torch.float16),
    "c": torch.arange(7, dtype=torch.int8),
}
ONE = '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.safetensors"
    save_file(GOOD, path, {"ss_comment": "猫"})
    return path


def written(folder: Path, header: str | bytes, data: bytes = b"\0\0\0\0") -> Path:
    raw = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    path = folder / "made.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def test_it_reads_what_the_library_reads(good: Path) -> None:
    header = read_header(good)
    with safe_open(good, "pt") as file:
        assert set(header.tensors) == set(file.keys())
        for name, info in header.tensors.items():
            assert list(info.shape) == file.get_slice(name).get_shape()
            assert info.dtype == file.get_slice(name).get_dtype()
            raw = good.read_bytes()[header.data_start :][info.start : info.end]
            assert raw == bytes(GOOD[name].reshape(-1).view(torch.uint8).numpy())
    assert header.metadata == {"ss_comment": "猫"}


def test_a_cut_off_copy_says_how_much_is_missing(good: Path) -> None:
    whole = good.read_bytes()
    good.write_bytes(whole[:-50])
    with pytest.raises(HeaderError, match="50 bytes are missing"):
        read_header(good)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 20])
def test_a_copy_that_has_hardly_begun(good: Path, length: int) -> None:
    good.write_bytes(good.read_bytes()[:length])
    with pytest.raises(HeaderError, match="incomplete"):
        read_header(good)


def test_a_length_beyond_reason_is_not_allocated(tmp_path: Path) -> None:
    path = tmp_path / "bomb.safetensors"
    for length in (MAX_HEADER_BYTES + 1, 2**63, 2**64 - 1):
        path.write_bytes(length.to_bytes(8, "little") + b"{}")
        with pytest.raises(HeaderError, match="bytes long"):
            read_header(path)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[]",
        "7",
        "null",
        "{",
        "{" + ONE,
        "[" * 200_000,
        '{"a":' * 100_000,
        b"\xff\xfe{}",
        "{" + ONE + "," + ONE + "}",
        "{}",
        '{"__metadata__":{"a":1},' + ONE + "}",
        '{"__metadata__":[],' + ONE + "}",
        '{"a":[]}',
        '{"a":{"dtype":"F32","shape":[1]}}',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}',
        '{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}',
        '{"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[4,0]}}',
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        '{"a":{"dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}',
        "{" + ONE + ',"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        "{" + ONE + ',"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":NaN}',
    ],
)
def test_a_hostile_header_is_a_plain_error(tmp_path: Path, header: str | bytes) -> None:
    with pytest.raises(HeaderError) as caught:
        read_header(written(tmp_path, header))
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400 + len(str(tmp_path))


def test_bytes_behind_the_tensors_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(HeaderError, match="4 bytes too many"):
        read_header(written(tmp_path, "{" + ONE + "}", b"\0" * 8))


def test_tensors_that_overlap_or_leave_gaps_are_noticed(tmp_path: Path) -> None:
    for start, length in ((0, 4), (8, 12), (2, 6)):
        place = f"[{start},{start + 4}]"
        second = '"b":{"dtype":"F32","shape":[1],"data_offsets":' + place + "}"
        with pytest.raises(HeaderError, match="overlap or leave gaps"):
            read_header(written(tmp_path, "{" + ONE + "," + second + "}", b"\0" * length))


def test_what_is_no_file_is_a_plain_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(HeaderError):
            read_header(path)


def mangled(good: bytes, seed: int) -> bytes:
    """``good`` with a few accidents: bits, digits, cuts, doubled and deleted stretches."""
    dice = random.Random(seed)
    content = bytearray(good)
    header_end = 8 + int.from_bytes(good[:8], "little")
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(max(1, min(len(content), header_end)))
        kind = dice.randrange(6)
        if kind == 0:
            content[at : at + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            del content[at : at + dice.randint(1, 40)]
        elif kind == 2:
            content[at:at] = content[at : at + dice.randint(1, 40)]
        elif kind == 3:
            del content[dice.randrange(len(content) + 1) :]
        elif kind == 4:
            content[at:at] = dice.choice([b'"', b"{", b"]", b",", b"9" * 30, b"\xff", b"-1"])
        else:
            numbers = [i for i, byte in enumerate(content[8:header_end], 8) if chr(byte).isdigit()]
            for place in dice.sample(numbers, min(2, len(numbers))):
                content[place] = ord(str(dice.randrange(10)))
    return bytes(content)


def check_mangled(path: Path, good: bytes, seeds: range) -> int:
    """How many of the seeds' files are refused. What we take, the library takes too."""
    refused = 0
    for seed in seeds:
        path.write_bytes(mangled(good, seed))
        try:
            header = read_header(path)
        except HeaderError as error:
            assert error.remedy, seed
            refused += 1
            continue
        try:
            with safe_open(path, "pt") as file:
                assert set(header.tensors) == set(file.keys()), seed
        except SafetensorError as error:
            pytest.fail(f"seed {seed}: taken by us, refused by safetensors: {error}")
    return refused


def test_500_mangled_files(good: Path) -> None:
    content = good.read_bytes()
    assert check_mangled(good.with_name("mangled"), content, range(500)) > 400


@pytest.mark.slow
def test_5000_mangled_files(good: Path) -> None:
    content = good.read_bytes()
    assert check_mangled(good.with_name("mangled"), content, range(500, 5500)) > 4000


def test_the_headers_of_json_keep_their_limits(tmp_path: Path) -> None:
    many = {
        f"layer_{index}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
        for index in range(20_000)
    }
    assert len(read_header(written(tmp_path, json.dumps(many), b"")).tensors) == 20_000
