"""What becomes of a caption file on its way to the text encoder."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasets import make_config, make_plan
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import CaptionOptions
from lora_wizard.core.dataset.captions import (
    CaptionError,
    compose,
    decode,
    final_caption,
    read_caption,
    with_prompt,
)
from lora_wizard.core.dataset.plan import Bucket, Draw
from lora_wizard.core.randomness import key as key_of

TAGS = st.lists(st.from_regex(r"[a-z]{1,6}( [a-z]{1,6})?", fullmatch=True), max_size=8)


def composed(
    raw: str,
    *trigger_words: str,
    shuffle_key: int = 1,
    dropout_key: int = 2**63,
    other_key: int = 5,
    epoch: int = 1,
    **options: Any,
) -> str:
    keys = {"caption-shuffle": shuffle_key, "caption-dropout": dropout_key}
    return compose(
        raw,
        CaptionOptions(**options),
        trigger_words,
        key=lambda purpose: keys.get(purpose, key_of(other_key, purpose)),
        epoch=epoch,
    )


def read(tmp_path: Path, data: bytes) -> tuple[str, tuple[str, ...]]:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    caption = read_caption(path)
    return caption.text, caption.remarks


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_every_encoding_with_a_mark_reads_the_same(encoding: str, tmp_path: Path) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    text, remarks = read(tmp_path, mark + "größe, 猫, 🐈".encode(encoding))
    assert (text, remarks) == ("größe, 猫, 🐈", ())


def test_windows_text_is_read_and_remarked(tmp_path: Path) -> None:
    text, (remark,) = read(tmp_path, "café “quoted” \u2013 ok".encode("cp1252"))
    assert text == "café “quoted” \u2013 ok"
    assert "Windows-1252" in remark


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    text, _ = decode(data)
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "text", "remarks"),
    [
        (b"a, b\r\n", "a, b", 0),
        (b"a\r\nb\n\nc", "a b c", 1),
        (b"", "", 1),
        (b" \n\t", "", 1),
    ],
)
def test_lines_become_one(data: bytes, text: str, remarks: int, tmp_path: Path) -> None:
    assert read(tmp_path, data)[0] == text
    assert len(read(tmp_path, data)[1]) == remarks


@pytest.mark.parametrize("data", [b"a\x00b", b"x" * (1 << 21)])
def test_what_is_no_text_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(CaptionError):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("raw", "words", "expected"),
    [
        ("smiling", ("mika",), "mika, smiling"),
        ("mika, smiling", ("mika",), "mika, smiling"),
        ("Mika smiling at home", ("mika",), "Mika smiling at home"),
        ("mikado, smiling", ("mika",), "mika, mikado, smiling"),
        ("smiling, mika", ("mika",), "mika, smiling"),
        ("mika, smiling, mika", ("mika",), "mika, smiling"),
        ("mika, red dress, smiling", ("mika", "red dress"), "mika, red dress, smiling"),
        ("mika, smiling", ("mika", "red dress"), "mika, red dress, smiling"),
        ("", ("mika", "red dress"), "mika, red dress"),
        ("a photo of mika", ("mika",), "mika, a photo of mika"),
        ("smiling", ("", " "), "smiling"),
        ("c++ code", ("c++",), "c++ code"),
    ],
)
def test_trigger_words_come_first_and_once(raw: str, words: tuple[str, ...], expected: str) -> None:
    assert composed(raw, *words) == expected


@given(TAGS, st.lists(st.sampled_from(["mika", "red dress"]), unique=True))
def test_composing_again_adds_no_trigger_word(tags: list[str], words: list[str]) -> None:
    once = composed(", ".join(tags), *words)
    assert composed(once, *words) == once
    counts = Counter(tag.strip() for tag in once.split(","))
    assert all(counts[word] == 1 for word in words)


def test_prefix_and_suffix_are_put_as_they_are() -> None:
    assert composed("b", prefix="a ", suffix=" c") == "a b c"
    assert composed("smiling", "mika", prefix="photo of ") == "mika, photo of smiling"
    assert composed("mika, smiling", "mika", prefix="photo of ") == "photo of mika, smiling"
    assert composed("smiling", "mika", prefix="mika, ") == "mika, smiling"


def test_without_shuffling_the_caption_is_as_written() -> None:
    assert composed("a ,b,  c") == "a ,b,  c"


@given(TAGS, st.integers(0, 10), st.integers(0, 2**64 - 1))
def test_shuffling_keeps_the_first_tags_and_loses_none(
    tags: list[str], kept: int, key: int
) -> None:
    result = composed(", ".join(tags), shuffle=True, keep_tokens=kept, shuffle_key=key)
    shuffled = [tag for tag in result.split(", ") if tag]
    assert shuffled[:kept] == tags[:kept]
    assert Counter(shuffled) == Counter(tags)


def test_shuffling_depends_on_the_key_alone() -> None:
    tags = "a, b, c, d, e, f"
    results = {composed(tags, shuffle=True, shuffle_key=key) for key in range(50)}
    assert len(results) > 40
    assert composed(tags, shuffle=True, shuffle_key=7) == composed(
        tags, shuffle=True, shuffle_key=7
    )


def test_prefix_and_trigger_words_count_as_kept() -> None:
    options = {"prefix": "best, ", "shuffle": True, "keep_tokens": 2}
    results = {composed("x, y, z", "mika", shuffle_key=key, **options) for key in range(20)}
    assert all(result.startswith("mika, best, ") for result in results)
    assert len(results) > 3


def test_another_separator() -> None:
    result = composed("a. b. c", "mika", separator=".", shuffle=True, keep_tokens=9)
    assert result == "mika, a, b, c"


@pytest.mark.parametrize("separator", [",", ";", ".", " ", "|| "])
def test_trigger_words_are_tags_of_their_own_with_any_separator(separator: str) -> None:
    options = {"separator": separator, "shuffle": True, "keep_tokens": 1}
    raw = f"{separator} ".join(["b", "mika", "c", "d"])
    results = {composed(raw, "mika", shuffle_key=key, **options) for key in range(40)}
    assert {tuple(sorted(result.split(", "))) for result in results} == {("b", "c", "d", "mika")}
    assert {result.split(", ")[0] for result in results} == {"mika"}
    assert {result.split(", ")[1] for result in results} == {"b", "c", "d"}


@given(st.integers(0, 2**53 - 1), st.floats(0, 1))
def test_dropout_drops_the_whole_caption_in_its_share(key: int, rate: float) -> None:
    result = composed("a", "mika", dropout=rate, dropout_key=key << 11)
    assert result == ("" if key / 2**53 < rate else "mika, a")


@pytest.mark.parametrize("every", [0, 1, 2, 3])
def test_whole_epochs_go_without_captions(every: int) -> None:
    found = [composed("a", epoch=epoch, dropout_every_epochs=every) for epoch in range(1, 7)]
    assert found == ["" if every and epoch % every == 0 else "a" for epoch in range(1, 7)]


@given(TAGS, st.integers(0, 3), st.integers(0, 2**64 - 1), st.booleans())
def test_tag_dropout_leaves_out_only_free_tags(
    tags: list[str], kept: int, key: int, shuffle: bool
) -> None:
    options = {"tag_dropout": 0.5, "keep_tokens": kept, "shuffle": shuffle}
    found = composed(", ".join(tags), other_key=key, shuffle_key=key, **options)
    left = [tag for tag in found.split(", ") if tag]
    assert left[:kept] == tags[:kept]
    assert not Counter(left) - Counter(tags)
    if not shuffle:
        rest = iter(tags)
        assert all(tag in rest for tag in left), "in the order of the caption"


def test_tags_are_left_out_each_for_itself_and_in_their_share() -> None:
    tags = [f"tag{number}" for number in range(10)]
    uses = [
        composed(", ".join(tags), other_key=key, tag_dropout=0.3).split(", ") for key in range(2000)
    ]
    counts = Counter(tag for use in uses for tag in use)
    assert all(1330 < counts[tag] < 1470 for tag in tags)
    assert len({tuple(use) for use in uses}) > 500


def test_nothing_is_left_out_of_nothing() -> None:
    assert composed("", tag_dropout=0.5) == ""
    assert composed("a, b", tag_dropout=1.0) == ""
    assert composed("a, b", "mika", tag_dropout=1.0, keep_tokens=1) == "mika"


def test_a_mark_says_what_stays() -> None:
    options = {"shuffle": True, "keep_tokens_separator": "|||", "keep_tokens": 9}
    found = {
        composed("a, b ||| c, d, e ||| last", "mika", shuffle_key=key, **options)
        for key in range(60)
    }
    assert {tuple(sorted(text.split(", ")[3:6])) for text in found} == {("c", "d", "e")}
    assert len(found) == 6
    assert all(text.startswith("mika, a, b, ") and text.endswith(", last") for text in found)
    assert composed("a, b", shuffle_key=1, **options) == "a, b", "without a mark, keep_tokens count"


def test_a_mark_is_never_trained() -> None:
    assert composed("a, b ||| c", keep_tokens_separator="|||") == "a, b, c"
    assert composed("a;;;b, c", secondary_separator=";;;") == "a, b, c"


def test_a_group_of_tags_stays_together() -> None:
    options = {"shuffle": True, "secondary_separator": ";;;"}
    found = {composed("a;;;b, c, d", shuffle_key=key, **options) for key in range(60)}
    assert len(found) == 6
    assert all("a, b" in text for text in found)


def test_a_line_and_a_choice_are_taken_for_every_use() -> None:
    options = {"wildcards": True, "prefix": "{my|the} ", "suffix": "!"}
    found = {composed("red {cat|dog}\nblue\n", other_key=key, **options) for key in range(200)}
    nouns = ("red cat", "red dog", "blue")
    assert found == {f"{word} {noun}!" for word in ("my", "the") for noun in nouns}


def test_choices_do_not_hang_together() -> None:
    text = "{a|b} {a|b} {a|b} {a|b}"
    found = Counter(composed(text, wildcards=True, other_key=key) for key in range(4000))
    assert len(found) == 16
    assert all(170 < count < 330 for count in found.values())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("{{a|b}}", {"{a|b}"}),
        ("{a}", {"a"}),
        ("{a|}b", {"ab", "b"}),
        ("{}", {"{}"}),
        ("{a|b", {"{a|b"}),
        ("a|b}", {"a|b}"}),
        ("{x{a|b}", {"{xa", "{xb"}),
        ("{{{a|b}}}", {"{a}", "{b}"}),
    ],
)
def test_braces(raw: str, expected: set[str]) -> None:
    assert {composed(raw, wildcards=True, other_key=key) for key in range(40)} == expected
    assert composed(raw) == raw


@given(st.text(max_size=60), st.integers(0, 2**64 - 1))
def test_any_text_can_be_chosen_from(text: str, key: int) -> None:
    composed(text, "mika", wildcards=True, other_key=key, shuffle=True, tag_dropout=0.3)


def test_trigger_words_come_before_whichever_line() -> None:
    found = {composed("mika, a\nb", "mika", wildcards=True, other_key=key) for key in range(40)}
    assert found == {"mika, a", "mika, b"}


def test_lines_are_kept_where_they_are_alternatives(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b" one \r\n\r\ntwo\n")
    caption = read_caption(path, lines=True)
    assert (caption.text, caption.remarks) == ("one\ntwo", ())


def test_a_prompt_takes_the_caption_in() -> None:
    assert with_prompt("", "smiling") == "smiling"
    assert with_prompt("photo of mika, [filewords]", "smiling") == "photo of mika, smiling"
    assert with_prompt("photo of mika", "smiling") == "photo of mika"
    assert with_prompt("mika, [filewords]", "one\ntwo") == "mika, one\nmika, two"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", "mika, smiling"),
        ("a dog, [filewords]", "mika, a dog, smiling"),
        ("photo of Mika, [filewords]", "photo of Mika, smiling"),
        ("photo of mika", "photo of mika"),
    ],
)
def test_a_prompt_says_where_its_trigger_words_stand(prompt: str, expected: str) -> None:
    made = replace(
        make_plan([(Bucket(64, 64), 1)]).samples[0],
        caption="smiling",
        trigger_words=("mika",),
        prompt=prompt,
    )
    assert final_caption(Draw(made, 1, 0), make_config()) == expected
