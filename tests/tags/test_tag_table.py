"""What the table of tags counts, and what it proposes."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.core.config import CaptionOptions
from lora_wizard.core.tags.entries import CaptionSet, Entry
from lora_wizard.core.tags.parts import Grammar
from lora_wizard.core.tags.style import style_of
from lora_wizard.core.tags.table import TagTable, table_of
from lora_wizard.core.tags.tokens import longest


def captions_of(texts: list[str], words: tuple[str, ...] = ()) -> CaptionSet:
    entries = (
        Entry(Path(f"/set/{number}.png"), text, "mika", words) for number, text in enumerate(texts)
    )
    return CaptionSet(tuple(entries), Grammar(), Path("/set"))


def proposed(table: TagTable) -> list[str]:
    return [tag.name for tag in table.proposed]


def test_a_tag_is_counted_once_in_a_caption_whatever_its_case() -> None:
    table = table_of(captions_of(["a, Smile, smile", "SMILE", "", "Smile, b"]))
    (smile,) = [tag for tag in table.tags if tag.key == "smile"]
    assert (smile.name, smile.count, smile.entries) == ("Smile", 3, (0, 1, 3))
    assert smile.share == 1.0
    assert smile.place == pytest.approx(4 / 3)
    assert (table.captions, table.pictures) == (3, 4)


def test_what_nearly_all_have_is_proposed_and_what_varies_is_not() -> None:
    texts = [f"mika, scar, blue hair, white background, looking at viewer, x{n}" for n in range(9)]
    table = table_of(captions_of([*texts, "mika, hat"], ("mika",)))
    assert proposed(table) == ["blue hair", "scar"]
    varies = [tag.name for tag in table.tags if tag.remark]
    assert varies == ["looking at viewer", "white background"]
    assert "9 of 10" in table.proposed[0].why


def test_eighty_percent_is_the_line_and_hair_needs_less() -> None:
    def texts(count: int) -> list[str]:
        return [f"mika, t{n}" + ", scar, red_eyes" * (n < count) for n in range(10)]

    assert proposed(table_of(captions_of(texts(8), ("mika",)))) == ["red_eyes", "scar"]
    assert proposed(table_of(captions_of(texts(7), ("mika",)))) == ["red_eyes"]
    assert proposed(table_of(captions_of(texts(5), ("mika",)))) == []


def test_nothing_is_proposed_of_a_handful_of_captions() -> None:
    assert not proposed(table_of(captions_of(["mika, scar"] * 3, ("mika",))))


def test_the_word_that_begins_every_caption_is_no_proposal() -> None:
    table = table_of(captions_of([f"Mika, 1girl, x{n}" for n in range(5)]))
    assert table.inferred == "Mika"
    assert proposed(table) == ["1girl"]
    table = table_of(captions_of([f"1girl, scar, x{n}" for n in range(5)]))
    assert table.inferred == ""
    assert proposed(table) == ["1girl", "scar"]


TAGS = "1girl, solo, hand on own hip, looking at viewer, long_hair"
SENTENCE = "a woman with long hair is standing at the beach"


def test_a_set_is_tags_or_sentences_or_both() -> None:
    def kind(texts: list[str]) -> str:
        found = captions_of(texts)
        return style_of(found.entries, found.grammar).kind

    assert kind([TAGS] * 5) == "tags"
    assert kind([SENTENCE, f"mika, {SENTENCE}", f"{SENTENCE}. The sky is blue, and far."]) == (
        "sentences"
    )
    assert kind([TAGS] * 5 + [SENTENCE] * 2) == "mixed"
    assert kind(["", ""]) == "none"
    mixed = captions_of([TAGS] * 5 + [SENTENCE] * 2)
    assert "5.png, 6.png" in style_of(mixed.entries, mixed.grammar).advice


def test_the_longest_caption_asks_for_its_setting() -> None:
    found = longest(
        captions_of(["a", "b " * 100], ("mika",)).entries, CaptionOptions(max_tokens=75), None
    )
    assert found is not None
    # Counted with the trigger word and the comma after it.
    assert (found.picture.name, found.tokens, found.fitting) == ("1.png", 102, 150)
    assert found.mends[0].values == {"captions.max_tokens": 150}
    assert "captions.max_tokens = 150 is better" in found.words
    assert longest(captions_of([""]).entries, CaptionOptions(), None) is None
