"""What is said of captions before a run: what is cut off, what is not read as it was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import write_picture
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.caption_review import review_captions
from lora_wizard.core.errors import Problem
from lora_wizard.core.families import registry
from tiny_sd import write_tokenizer


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every letter is a token."""
    folder = tmp_path_factory.mktemp("words") / "tokenizer"
    write_tokenizer(folder)
    return folder


def reviewed(
    folder: Path, captions: dict[str, str], vocabulary: Path | None, **options: Any
) -> list[Problem]:
    for name, caption in captions.items():
        write_picture(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(caption)
    config = RunConfig.model_validate(
        {"model": {"base": "x"}, "dataset": {"folder": str(folder)}, "captions": options}
    )
    spec = registry.find("sd1")
    return review_captions(build_plan(config, spec), config, spec, vocabulary)


def test_what_is_cut_off_is_told_and_mended(tmp_path: Path, vocabulary: Path) -> None:
    captions = {"a": "x" * 75, "b": f"{'x' * 75}, the rest", "c": "y" * 140}
    (found,) = reviewed(tmp_path, captions, vocabulary)
    assert (found.where, found.severity) == ("captions.max_tokens", "warning")
    assert "2 of 3 captions are cut off after 75 tokens" in found.message
    assert 'b.png (83) loses "the rest"' in found.message
    assert f'c.png (140) loses "{"y" * 40} ..."' in found.message
    assert found.remedy == "captions.max_tokens = 150 trains them whole."
    assert found.mends[0].values == {"captions.max_tokens": 150}
    assert reviewed(tmp_path, captions, vocabulary, max_tokens=150) == []


def test_what_no_setting_takes(tmp_path: Path, vocabulary: Path) -> None:
    (found,) = reviewed(tmp_path, {"a": "x" * 300}, vocabulary)
    assert found.mends[0].values == {"captions.max_tokens": 225}
    assert "cuts less" in found.remedy
    (found,) = reviewed(tmp_path, {"a": "x" * 300}, vocabulary, max_tokens=225)
    assert not found.mends


def test_more_than_any_caption_needs_is_noted(tmp_path: Path, vocabulary: Path) -> None:
    (found,) = reviewed(tmp_path, {"a": "x" * 80}, vocabulary, max_tokens=225)
    assert (found.severity, found.mends[0].values) == ("note", {"captions.max_tokens": 150})


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, 76),
        ({"prefix": "ab "}, 78),
        ({"trigger_words": ["mika"], "shuffle": True}, 81),
        ({"dropout": 1.0, "tag_dropout": 1.0, "dropout_every_epochs": 1}, 76),
    ],
)
def test_all_that_is_added_counts_and_nothing_that_is_dropped(
    tmp_path: Path, vocabulary: Path, options: dict[str, Any], tokens: int
) -> None:
    (found,) = reviewed(tmp_path, {"a": "x" * 76}, vocabulary, **options)
    assert f"a.png ({tokens})" in found.message


def test_the_longest_choice_counts(tmp_path: Path, vocabulary: Path) -> None:
    text = f"short\n{'x' * 70} {{a|{'b' * 10}|c}}"
    (found,) = reviewed(tmp_path, {"a": text}, vocabulary, wildcards=True)
    assert "a.png (80)" in found.message


def test_marks_of_emphasis_do_not_count_where_they_are_read(
    tmp_path: Path, vocabulary: Path
) -> None:
    captions = {"a": f"({'x' * 74}:1.2)"}
    assert reviewed(tmp_path, captions, vocabulary, weighted=True) == []
    cut, weights = reviewed(tmp_path, captions, vocabulary)[::-1]
    assert "a.png (80)" in cut.message
    assert (weights.where, weights.severity) == ("captions.weighted", "note")


def test_without_a_vocabulary_words_are_the_least(tmp_path: Path) -> None:
    (found,) = reviewed(tmp_path, {"a": "word " * 80, "b": "word " * 70}, None)
    assert "1 of 2 captions is cut off after 75 tokens" in found.message
    assert "at least 80" in found.message


@pytest.mark.parametrize(
    ("caption", "options", "where", "severity"),
    [
        ("a {red|blue} hat", {}, "captions.wildcards", "note"),
        ("a hat", {"wildcards": True}, "captions.wildcards", "warning"),
        ("a hat", {"weighted": True}, "captions.weighted", "warning"),
        ("a (hat:1.3)", {}, "captions.weighted", "note"),
        ("a, b", {"secondary_separator": ";;"}, "captions.secondary_separator", "warning"),
        ("a, b", {"keep_tokens_separator": "||"}, "captions.keep_tokens_separator", "warning"),
    ],
)
def test_what_is_not_read_as_it_was_meant(
    caption: str,
    options: dict[str, Any],
    where: str,
    severity: str,
    tmp_path: Path,
    vocabulary: Path,
) -> None:
    (found,) = reviewed(tmp_path, {"a": caption}, vocabulary, **options)
    assert (found.where, found.severity) == (where, severity)


@pytest.mark.parametrize(
    ("caption", "options"),
    [
        ("a {red|blue} hat", {"wildcards": True}),
        ("one\ntwo", {"wildcards": True}),
        ("a hat", {"wildcards": True, "prefix": "{my|the} "}),
        ("a (hat:1.3)", {"weighted": True}),
        ("a;;b || c", {"secondary_separator": ";;", "keep_tokens_separator": "||"}),
        ("mika_(singer), {{braces}}", {}),
    ],
)
def test_nothing_is_said_of_what_is_fine(
    caption: str, options: dict[str, Any], tmp_path: Path, vocabulary: Path
) -> None:
    assert reviewed(tmp_path, {"a": caption}, vocabulary, **options) == []
