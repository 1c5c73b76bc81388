"""Edits of tags: what they promise for any captions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.config import CaptionOptions
from lora_wizard.core.dataset.captions import begins_with, compose
from lora_wizard.core.tags.changes import pending
from lora_wizard.core.tags.edits import (
    Add,
    Duplicates,
    Edit,
    First,
    KeepOnly,
    Remove,
    Replace,
    Sort,
    TriggerWords,
    Underscores,
    applied,
    is_face,
)
from lora_wizard.core.tags.entries import CaptionSet, Entry
from lora_wizard.core.tags.parts import Grammar, key_of
from lora_wizard.core.tags.table import table_of

WORDS = ("mika", "red dress")
TAGS = ("mika", "Red Dress", "1girl", "blue_hair", "blue hair", "smile", "SMILE", "^_^", "ß", "")
BLANKS = st.sampled_from(["", " ", "  ", "\t"])
PIECES = st.tuples(BLANKS, st.sampled_from(TAGS), BLANKS).map("".join)
CAPTIONS = st.lists(PIECES, min_size=1, max_size=7).map(",".join).map(str.strip)
SETS = st.lists(CAPTIONS, min_size=1, max_size=6)
PLAIN = Grammar()
EDITS: tuple[Edit, ...] = (
    Underscores(),
    Replace(("smile",), "grin"),
    Replace(("blue_hair",), "blue hair"),
    Remove(("1girl", "smile")),
    KeepOnly(("smile",)),
    Add(("outdoors", "smile")),
    Add(("outdoors", "smile"), "front"),
    Duplicates(),
    Sort(),
    Sort("name"),
    First(("smile", "blue hair")),
    TriggerWords(),
)


def captions_of(texts: list[str], grammar: Grammar = PLAIN) -> CaptionSet:
    entries = (
        Entry(Path(f"/set/{number}.png"), text, "mika", WORDS) for number, text in enumerate(texts)
    )
    return CaptionSet(tuple(entries), grammar, Path("/set"))


def after(edit: Edit, texts: list[str], grammar: Grammar = PLAIN) -> list[str]:
    entries = captions_of(texts, grammar).entries
    return [entry.caption for entry in applied([edit], entries, grammar)]


def keys(text: str, grammar: Grammar = PLAIN) -> list[str]:
    return [key_of(tag) for tag in grammar.tags(text)]


def counts(texts: list[str]) -> dict[str, int]:
    return {tag.key: tag.count for tag in table_of(captions_of(texts)).tags}


def bare(text: str) -> list[str]:
    """The pieces, each with the blanks around it, but for the ends of the whole."""
    pieces = text.split(",")
    pieces[0] = pieces[0].lstrip()
    return pieces


@given(SETS)
def test_what_is_removed_is_gone_and_every_other_byte_stays(texts: list[str]) -> None:
    new = after(Remove(("Smile", "1GIRL")), texts)
    assert not {"smile", "1girl"} & counts(new).keys()
    for was, now in zip(texts, new, strict=True):
        kept = [piece for piece in bare(was) if key_of(piece) not in ("smile", "1girl")]
        if kept == bare(was):
            assert now == was
        elif any(piece.strip() for piece in kept):
            assert bare(now) == [kept[0].lstrip(), *kept[1:]]
        else:
            assert now == ""


@given(SETS)
def test_merging_keeps_the_counts(texts: list[str]) -> None:
    new = after(Replace(("blue_hair",), "smile"), texts)
    either = sum(bool({"blue_hair", "smile"} & set(keys(text))) for text in texts)
    assert counts(new).get("smile", 0) == either
    assert "blue_hair" not in counts(new)
    others = {key: count for key, count in counts(texts).items() if key != "blue_hair"}
    assert counts(new).items() >= (others.items() - {("smile", others.get("smile"))})


@given(SETS)
def test_trigger_words_come_first_and_once(texts: list[str]) -> None:
    new = after(TriggerWords(), texts)
    for was, now in zip(texts, new, strict=True):
        if keys(was):
            assert keys(now)[:2] == ["mika", "red dress"]
            assert not {"mika", "red dress"} & set(keys(now)[2:])
            rest = [key for key in keys(was) if key not in ("mika", "red dress")]
            assert keys(now)[2:] == rest
        else:
            assert now == was
        # Training finds nothing left to do.
        if keys(now):
            assert begins_with(now, WORDS, ",")
            options = CaptionOptions()
            assert compose(now, options, WORDS, key=lambda purpose: 1) == now.strip()


@settings(max_examples=50, deadline=None)
@given(SETS)
def test_an_edit_made_twice_is_made_once(texts: list[str]) -> None:
    for edit in EDITS:
        once = after(edit, texts)
        assert after(edit, once) == once, edit


@settings(max_examples=50, deadline=None)
@given(SETS)
def test_an_order_is_another_order_of_the_same_tags(texts: list[str]) -> None:
    for edit in (Sort(), Sort("name"), First(("smile",))):
        for was, now in zip(texts, after(edit, texts), strict=True):
            assert Counter(PLAIN.tags(was)) == Counter(PLAIN.tags(now))
            assert was.count(",") == now.count(",")


@given(SETS)
def test_no_tag_comes_twice_after_duplicates_are_out(texts: list[str]) -> None:
    for was, now in zip(texts, after(Duplicates(), texts), strict=True):
        assert keys(now) == list(dict.fromkeys(keys(was)))
        if keys(was) and len(set(keys(was))) == len(keys(was)):
            assert now == was


@settings(max_examples=50, deadline=None)
@given(st.lists(CAPTIONS, min_size=1, max_size=3), st.lists(CAPTIONS, min_size=1, max_size=3))
def test_no_edit_takes_a_mark_out(left: list[str], right: list[str]) -> None:
    grammar = Grammar(marks=("|||", ";;;"))
    texts = [f"{a} ||| {b};;;x y" for a, b in zip(left, right, strict=False)]
    for edit in (edit for edit in EDITS if not isinstance(edit, KeepOnly)):
        for now in after(edit, texts, grammar):
            assert now.count("|||") == now.count(";;;") == 1, edit
            assert "x y" in now


@given(SETS)
def test_what_becomes_a_blank_is_between_letters(texts: list[str]) -> None:
    for now in after(Underscores(), texts):
        assert all(is_face(tag) for tag in PLAIN.tags(now) if "_" in tag)


def test_a_trigger_word_keeps_its_underscore() -> None:
    entry = Entry(Path("/a.png"), "sks_woman, long_hair, o_o, (o)_(o)", "", ("sks_woman",))
    (now,) = applied([Underscores()], [entry], PLAIN)
    assert now.caption == "sks_woman, long hair, o_o, (o)_(o)"


def test_a_choice_is_one_tag_and_a_line_is_a_caption() -> None:
    grammar = Grammar(has_choices=True)
    text = "mika, {red, dark red|blue} hat, smile\nmika, smile\nsmile"
    assert after(Remove(("smile",)), [text], grammar) == ["mika, {red, dark red|blue} hat\nmika"]
    assert after(TriggerWords(("a",)), ["x\ny"], grammar) == ["a, x\na, y"]


def test_a_sentence_that_begins_with_the_trigger_words_has_them() -> None:
    texts = ["Mika red dress at the beach, smile", "a woman named mika, mika"]
    assert after(TriggerWords(), texts) == [
        texts[0],
        "mika, red dress, a woman named mika",
    ]


def test_sorting_is_by_the_whole_set_and_leaves_sentences() -> None:
    sentence = "a woman who stands at the window of an old house, smile"
    texts = ["hat, smile, mika", "smile, hat", "tree, hat", sentence]
    assert after(Sort(), texts) == ["mika, hat, smile", "hat, smile", "hat, tree", sentence]


def test_pictures_without_a_caption_get_none() -> None:
    for edit in EDITS:
        assert after(edit, [""]) == [""]


def test_several_edits_see_what_the_one_before_has_made() -> None:
    change = pending(captions_of(["blue_hair, x"]), [Underscores(), Remove(("blue hair",))])
    assert [new.caption for _, new in change.changed] == ["x"]
    assert change.title == "tags: underscores to spaces; without blue hair"
