"""Captions of many pictures in one file, as other tools write them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from datasets import write_picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.caption_tables import TABLE_LIMIT, read_table
from lora_wizard.core.dataset.captions import CaptionError
from lora_wizard.core.dataset.plan import DatasetPlan
from lora_wizard.core.errors import ProblemsError
from lora_wizard.core.families import registry

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["file_name", "caption", "text", "tags", "a.png", "x"]), inner
        )
    ),
    max_leaves=12,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.jpg", "c.png"):
        write_picture(tmp_path / "img" / name)
    return tmp_path / "img"


def planned(folder: Path, **captions: Any) -> DatasetPlan:
    config = RunConfig.model_validate(
        {"model": {"base": "x"}, "dataset": {"folder": str(folder)}, "captions": captions}
    )
    return build_plan(config, registry.find("sd1"))


def texts(plan: DatasetPlan) -> dict[str, str]:
    return {item.path.name: item.caption for item in plan.samples if item.caption_path is not None}


def said(plan: DatasetPlan) -> str:
    return "\n".join(item.words for item in plan.problems if item.where == "captions.metadata")


def written(path: Path, value: Any) -> str:
    path.write_text(json.dumps(value) if not isinstance(value, str) else value, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "value",
    [
        {"a.png": "red", "b.jpg": {"caption": "blue", "tags": "x, y"}, "c": {"tags": ["p", "q"]}},
        [
            {"file_name": "a.png", "text": "red"},
            {"image": "./b.jpg", "caption": "blue", "tags": "x, y"},
            {"path": "c", "prompt": "p, q"},
        ],
        {"img/a": "red", "img\\b.jpg": "blue, x, y", "img/c.png": {"text": " p, q\n"}},
        {"/workspace/img/a.png": "red", "C:\\data\\img\\b": "blue, x, y", "img/c.png": "p, q"},
    ],
)
def test_every_form_gives_the_same_captions(folder: Path, value: Any) -> None:
    expected = {"a.png": "red", "b.jpg": "blue, x, y", "c.png": "p, q"}
    if isinstance(value, dict) and "C:\\data\\img\\b" in value:
        value["C:/data/img/b.jpg"] = value.pop("C:\\data\\img\\b")
    plan = planned(folder, metadata=written(folder.parent / "meta.json", value))
    assert texts(plan) == expected
    assert "has the captions of 3 pictures" in said(plan)


def test_absolute_names(folder: Path) -> None:
    value = {str(folder / "a.png"): "red", str(folder / "b"): "blue"}
    plan = planned(folder, metadata=written(folder.parent / "meta.json", value))
    assert texts(plan) == {"a.png": "red", "b.jpg": "blue"}
    assert any("1 of 3 pictures have no caption" in item.message for item in plan.problems)


def test_a_table_in_the_folder_is_found_by_itself(folder: Path) -> None:
    lines = ['{"file_name": "a.png", "text": "red"}', "", '{"file_name": "b.jpg", "text": "blue"}']
    written(folder / "metadata.jsonl", "\ufeff" + "\r\n".join(lines))
    plan = planned(folder)
    assert texts(plan) == {"a.png": "red", "b.jpg": "blue"}
    assert "metadata.jsonl has the captions of 2 pictures" in said(plan)


def test_a_table_beside_numbered_folders_is_found(folder: Path) -> None:
    os.rename(folder, folder.parent / "3_cat")  # noqa: PTH104
    line = '{"file_name": "3_cat/a.png", "text": "red"}'
    written(folder.parent / "metadata.jsonl", line)
    assert texts(planned(folder.parent)) == {"a.png": "red"}


def test_a_file_beside_the_picture_comes_first_and_that_is_said(folder: Path) -> None:
    (folder / "a.txt").write_text("from the file")
    written(folder / "metadata.jsonl", '{"file_name": "a.png", "text": "from the hub"}')
    named = written(folder.parent / "meta.json", {"a.png": "named", "b.jpg": "named"})
    plan = planned(folder, metadata=named)
    assert texts(plan) == {"a.png": "from the file", "b.jpg": "named"}
    assert "1 picture has a caption file beside it too, which is what is trained: a.txt" in said(
        plan
    )


def test_bad_lines_are_named_and_the_rest_is_used(folder: Path) -> None:
    lines = [
        '{"file_name": "a.png", "text": "red"}',
        "{broken",
        '"only text"',
        '{"text": "nameless"}',
        '{"file_name": "b.jpg"}',
        '{"file_name": "c.png", "text": 7}',
        "[" * 100_000,
        '{"file_name": "c.png", "text": "\\u0000"}',
    ]
    plan = planned(folder, metadata=written(folder.parent / "meta.jsonl", "\n".join(lines)))
    assert texts(plan) == {"a.png": "red"}
    for number in (2, 3, 4, 5, 6):
        assert f"line {number}: " in said(plan)
    assert "and 2 more" in said(plan)


def test_lines_of_a_caption_are_one_or_alternatives(folder: Path) -> None:
    path = written(folder.parent / "meta.json", {"a": "red\nblue\n"})
    assert texts(planned(folder, metadata=path))["a.png"] == "red blue"
    assert texts(planned(folder, metadata=path, wildcards=True))["a.png"] == "red\nblue"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"7", "neither an object nor a list"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[]", "has no captions"),
        (b'[{"caption": "x"}]', "entry 1: has no file_name"),
    ],
)
def test_a_table_that_cannot_be_read_is_an_error(folder: Path, data: bytes, why: str) -> None:
    path = folder.parent / "meta.json"
    path.write_bytes(data)
    with pytest.raises(ProblemsError, match=why) as caught:
        planned(folder, metadata=str(path))
    assert [problem.where for problem in caught.value.problems] == ["captions.metadata"]


def test_what_is_no_file_is_an_error(folder: Path) -> None:
    os.mkfifo(folder.parent / "pipe.json")
    for name, why in (
        ("pipe.json", "not a regular"),
        ("none.json", "not there"),
        ("img", "cannot be read"),
    ):
        with pytest.raises(ProblemsError, match=why):
            planned(folder, metadata=str(folder.parent / name))


def test_a_huge_table_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "meta.json"
    with path.open("wb") as file:
        file.truncate(TABLE_LIMIT + 1)
    with pytest.raises(CaptionError, match="larger than 64 MB"):
        read_table(path, ",")


def test_a_table_found_by_itself_that_is_broken_is_only_told(folder: Path) -> None:
    written(folder / "metadata.jsonl", "nonsense")
    plan = planned(folder)
    assert texts(plan) == {}
    assert "metadata.jsonl has no captions in it (line 1: is not JSON" in said(plan)


def test_a_table_of_other_pictures_is_told(folder: Path) -> None:
    plan = planned(folder, metadata=written(folder.parent / "m.json", {"x.png": "a", "y": "b"}))
    assert "names no picture of this dataset" in said(plan)
    plan = planned(folder, metadata=written(folder.parent / "m.json", {"x.png": "a", "a": "b"}))
    assert "1 of its 2 captions is of no picture here: x.png" in said(plan)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, st.booleans())
def test_no_json_is_too_strange(tmp_path: Path, value: Any, lines: bool) -> None:
    path = tmp_path / ("m.jsonl" if lines else "m.json")
    path.write_text(json.dumps(value), encoding="utf-8")
    try:
        table = read_table(path, ",")
    except CaptionError as error:
        assert str(error)
    else:
        for name in table.texts:
            table.caption(name).text.encode("utf-8")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.booleans())
def test_no_bytes_are_too_strange(tmp_path: Path, data: bytes, lines: bool) -> None:
    path = tmp_path / ("m.jsonl" if lines else "m.json")
    path.write_bytes(data)
    try:
        read_table(path, ",")
    except CaptionError as error:
        assert str(error)
