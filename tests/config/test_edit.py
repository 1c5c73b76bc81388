"""A TOML made by hand comes back as it was, but for what was edited."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.config.edit import EditError, TomlText

KEYS = {
    "training.epochs": st.integers(1, 99),
    "training.seed": st.integers(0, 2**40),
    "training.gradient_checkpointing": st.booleans(),
    "optimizer.learning_rate": st.floats(1e-9, 9),
    "optimizer.betas": st.lists(st.floats(0, 0.9999), min_size=2, max_size=2),
    "dataset.resolution": st.lists(st.integers(8, 999), min_size=2, max_size=2),
    "samples.prompts": st.lists(st.text(alphabet="ab,#\"'\\ \t]=é\n", max_size=12), max_size=3),
    "output.comment": st.text(alphabet="ab\"'\\#=[]{},é\n\r\t", max_size=12),
    "output.name": st.sampled_from(["a", 'b"c', "d # e", "'"]),
}


def literal(value: object, draw: st.DrawFn) -> str:
    """``value`` in one of the spellings that a person may choose."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = not any(char in value for char in "'\n\r\t")
        if plain and draw(st.booleans()):
            return f"'{value}'"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        for char, name in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            escaped = escaped.replace(char, name)
        return f'"""{escaped}"""' if draw(st.booleans()) else f'"{escaped}"'
    if isinstance(value, list):
        between = draw(st.sampled_from([", ", " ,", ",\n  # said ] here\n  "]))
        items = between.join(literal(item, draw) for item in value)
        return f"[ {items}{draw(st.sampled_from(['', ' ', chr(10)]))}]"
    if isinstance(value, float):
        return draw(st.sampled_from([repr(value), f"{value:.20e}".replace("e", "E")]))
    return str(value)


@st.composite
def tomls(draw: st.DrawFn) -> str:
    """Valid TOMLs with the oddities of hands: dotted keys, inline tables, tables in any order,
    comments, blanks, either end of line, none at the end."""
    values = {key: draw(KEYS[key]) for key in draw(st.lists(st.sampled_from(list(KEYS))))}
    sections: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        sections.setdefault(section, {})[name] = value
    top: list[str] = []
    tables: list[list[str]] = []
    for section, items in sections.items():
        style = draw(st.sampled_from(["table", "dotted", "inline"]))
        comment = draw(st.sampled_from(["", "  # why [not] = 1", " #", "\t# 'x"]))
        spaces = draw(st.sampled_from([" = ", "=", "   =\t"]))
        texts = {name: literal(value, draw) for name, value in items.items()}
        if style == "inline" and not any("\n" in text for text in texts.values()):
            inside = " , ".join(f"{name}{spaces}{text}" for name, text in texts.items())
            top.append(f"{section} = {{ {inside}}}{comment}")
        elif style == "dotted":
            top += [f'"{section}" . {name}{spaces}{text}{comment}' for name, text in texts.items()]
        else:
            header = draw(st.sampled_from([f"[{section}]", f"  [ '{section}' ]  # here"]))
            gap = draw(st.sampled_from([[], [""], ["# a line", ""]]))
            lines = [f"  {name}{spaces}{text}{comment}" for name, text in texts.items()]
            tables.append([header, *gap, *lines, *gap])
    if draw(st.booleans()):
        tables.append(["[strange]", 'key = "kept"'])
        if not any("dataset" in line for line in top):
            tables.append(["[dataset.unknown]", "x = 1"])
    text = "\n".join(["# top", *top, *(line for table in tables for line in table)])
    text += draw(st.sampled_from(["", "\n", "\n\n# the end"]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=300, deadline=None)
@given(tomls(), st.data())
def test_only_what_is_edited_changes_and_the_way_back_restores_every_byte(
    text: str, data: st.DataObject
) -> None:
    before = tomllib.loads(text)
    toml = TomlText(text)
    assert str(toml) == text
    edits = data.draw(
        st.lists(st.sampled_from(list(KEYS)), max_size=4, unique=True).map(
            lambda keys: {key: data.draw(st.none() | KEYS[key]) for key in keys}
        )
    )
    for key, value in edits.items():
        toml.set(key, value)
        if data.draw(st.booleans()):
            toml.drop_comment(key)
    after = tomllib.loads(str(toml))
    for key in KEYS:
        section, _, name = key.partition(".")
        there = after.get(section, {}).get(name)
        wanted = edits[key] if key in edits else before.get(section, {}).get(name)
        assert there == wanted
        assert toml.get(key) == wanted
    assert after.get("strange") == before.get("strange")
    assert after.get("dataset", {}).get("unknown") == before.get("dataset", {}).get("unknown")
    for key in edits:
        section, _, name = key.partition(".")
        toml.set(key, before.get(section, {}).get(name))
    assert str(toml) == text


LINES = """\
[model]
base = 'C:\\models' # literal
[network]
rank = 16         # holds it
alpha   =  8.0    # half
[training]
gradient_checkpointing = true  # room
"""


def test_comments_keep_their_column_and_booleans_theirs() -> None:
    toml = TomlText(LINES)
    toml.set("network.rank", 128)
    toml.set("training.gradient_checkpointing", False)
    assert "rank = 128        # holds it\n" in str(toml)
    assert "gradient_checkpointing = false  # room\n" in str(toml)
    toml.drop_comment("network.rank")
    toml.set("training.gradient_checkpointing", True)
    assert str(toml) == LINES.replace("rank = 16         # holds it", "rank = 128")


def test_lines_other_than_the_edited_one_are_untouched() -> None:
    toml = TomlText(LINES)
    toml.set("network.alpha", 4.5)
    toml.set("network.type", "lora")
    toml.unset("training.gradient_checkpointing")
    changed = LINES.replace("8.0 ", "4.5 ").replace("half\n", 'half\ntype = "lora"\n')
    assert str(toml) == changed.replace("gradient_checkpointing = true  # room\n", "")


TABLES = """\
[[dataset.concepts]]  # the first
folder = "a"   # of mika
repeats = 3
# between
[network]
rank = 4
[[dataset.concepts]]
folder = "b"
"""


def test_a_list_of_tables_keeps_the_tables_that_stay() -> None:
    toml = TomlText(TABLES)
    one, two = toml.get("dataset.concepts")
    toml.set("dataset.concepts", [{**one, "repeats": 5, "name": "x"}, two])
    edited = TABLES.replace("repeats = 3\n", 'repeats = 5\nname = "x"\n')
    assert str(toml) == edited
    toml.set("dataset.concepts", [one])
    assert str(toml) == TABLES.replace('[[dataset.concepts]]\nfolder = "b"\n', "")
    toml.set("dataset.concepts", [one, two, {"folder": "c"}])
    assert str(toml) == TABLES + '\n[[dataset.concepts]]\nfolder = "c"\n'
    toml.set("dataset.repeats", 2)
    assert tomllib.loads(str(toml))["dataset"]["repeats"] == 2
    toml.set("dataset.concepts", None)
    assert "concepts" not in tomllib.loads(str(toml))["dataset"]
    toml.set("dataset.concepts", [one, two])
    toml.unset("dataset.repeats")
    assert str(toml) == TABLES


@pytest.mark.parametrize(
    "text", ["x = 1", "x.y = 1 # z", "x = { y = 1 }", "[x]\ny=2", "[[x]]\ny=1"]
)
def test_a_whole_section_goes_and_comes_back(text: str) -> None:
    text = f"# top\n{text}\n[network]\nrank = 4\n"
    toml = TomlText(text)
    toml.unset("x")
    assert str(toml) == "# top\n[network]\nrank = 4\n"
    toml.set("x", tomllib.loads(text)["x"])
    assert str(toml) == text


@pytest.mark.parametrize("text", ["[[training]]\nepochs = 1\n[[training]]\n", "[[model]]\n"])
def test_what_has_no_place_is_refused_and_changes_nothing(text: str) -> None:
    toml = TomlText(text)
    with pytest.raises(EditError):
        toml.set("training.seed", 3)
        toml.set("model.base", "x")
    assert toml.get("model.base") is None
    tomllib.loads(str(toml))


@pytest.mark.parametrize("end", ["", "\n", "\n# the end\n"])
def test_a_key_of_the_last_section_never_lands_in_a_table_that_is_new(end: str) -> None:
    toml = TomlText(f'[dataset]\n[[dataset.concepts]]\nfolder = "a"\n[output]\nname = "x"{end}')
    with_none = TomlText(f'[output]\nname = "x"{end}')
    tables = [{"folder": "a"}, {"folder": "b", "repeats": 2}]
    for text in (toml, with_none):
        text.set("dataset.concepts", tables)
        text.set("samples.seed", 7)
        text.set("output.comment", "mine")
        assert tomllib.loads(str(text)) == {
            "dataset": {"concepts": tables},
            "output": {"name": "x", "comment": "mine"},
            "samples": {"seed": 7},
        }
