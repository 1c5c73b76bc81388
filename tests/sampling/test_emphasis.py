"""Emphasis in prompts: read as written down here by hand and by trees, and never an error."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.emphasis import has_emphasis, pieces

WORDS = st.from_regex(r"[a-z]{1,5}(, [a-z]{1,5})?", fullmatch=True)
Tree = str | tuple[str, float, list["Tree"]]
TREES = st.recursive(
    WORDS,
    lambda inner: st.tuples(
        st.sampled_from(["round", "square", "weight"]),
        st.decimals("0.1", "2", places=2).map(float),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
MARKS = st.text(st.sampled_from("()[]\\:.+-012ab ,"), max_size=40)


def written(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    kind, weight, inner = tree
    text = "".join(map(written, inner))
    return {"round": f"({text})", "square": f"[{text}]", "weight": f"({text}:{weight})"}[kind]


def letters(tree: Tree, weight: float = 1.0) -> list[tuple[str, float]]:
    """Every letter of a tree with its weight."""
    if isinstance(tree, str):
        return [(letter, weight) for letter in tree]
    kind, own, inner = tree
    weight *= {"round": 1.1, "square": 1 / 1.1, "weight": own}[kind]
    return [pair for item in inner for pair in letters(item, weight)]


def read(prompt: str) -> list[tuple[str, float]]:
    return [(piece.text, round(piece.weight, 6)) for piece in pieces(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", [("", 1)]),
        ("a word", [("a word", 1)]),
        ("an (old) house", [("an ", 1), ("old", 1.1), (" house", 1)]),
        ("((old)) [house]", [("old", 1.21), (" ", 1), ("house", 0.909091)]),
        ("(old:1.5)", [("old", 1.5)]),
        ("(old : -0.5 )", [("old ", -0.5)]),
        ("(an (old:2) house)", [("an ", 1.1), ("old", 2.2), (" house", 1.1)]),
        (r"mika \(singer\)", [("mika (singer)", 1)]),
        (r"(mika \(singer\):1.2)", [("mika (singer)", 1.2)]),
        (r"a \[b\] c\\d", [(r"a [b] c\d", 1)]),
        ("(never closed", [("never closed", 1.1)]),
        ("[never closed", [("never closed", 0.909091)]),
        ("never opened) or] :1.2)", [("never opened) or] :1.2)", 1)]),
        ("(odd:1.2.3) end", [("odd:1.2.3", 1.1), (" end", 1)]),
        ("at 12:30 o'clock", [("at 12:30 o'clock", 1)]),
        ("(a)(b)", [("ab", 1.1)]),
        ("()[]", [("", 1)]),
        ("([a)]b", [("ab", 1)]),
        (":)", [(":)", 1)]),
    ],
)
def test_how_prompts_are_read(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert read(prompt) == expected


@given(st.lists(TREES, max_size=4))
def test_brackets_nest_by_multiplication(trees: list[Tree]) -> None:
    found = [
        (letter, piece.weight)
        for piece in pieces("".join(map(written, trees)))
        for letter in piece.text
    ]
    expected = [pair for tree in trees for pair in letters(tree)]
    assert [letter for letter, _ in found] == [letter for letter, _ in expected]
    for (_, weight), (_, wanted) in zip(found, expected, strict=True):
        assert weight == pytest.approx(wanted)


@given(st.text(max_size=60) | MARKS)
def test_no_text_is_an_error_and_no_weight_infinite(text: str) -> None:
    found = pieces(text)
    assert found
    assert all(math.isfinite(piece.weight) for piece in found)
    assert all(first.weight != second.weight for first, second in pairwise(found))
    # Only marks go: what is left is the text's own letters in their order.
    assert re.sub(r"[()\[\]\\:.+\-0-9\s]", "", "".join(piece.text for piece in found)) == re.sub(
        r"[()\[\]\\:.+\-0-9\s]", "", text
    )


@given(st.text(max_size=60) | MARKS)
def test_what_is_escaped_is_taken_as_written(text: str) -> None:
    escaped = re.sub(r"([()\[\]\\])", r"\\\1", text)
    assert [(piece.text, piece.weight) for piece in pieces(escaped)] == [(text, 1.0)]
    assert not has_emphasis(escaped)


@pytest.mark.parametrize("mark", ["(", "[", "(a:9)"])
def test_brackets_without_end(mark: str) -> None:
    assert all(math.isfinite(piece.weight) for piece in pieces(mark * 5000 + "word"))
    assert all(math.isfinite(piece.weight) for piece in pieces(f"{'(' * 3000}word{':9)' * 3000}"))
