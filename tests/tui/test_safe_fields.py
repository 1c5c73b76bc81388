"""Fields with a cursor: any text can stand in them, and none of it reaches the terminal raw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lora_wizard.core.text import printable
from lora_wizard.tui.widgets.text import SafeInput, SafeTextArea
from screens import screen_text
from textual.app import App, ComposeResult
from textual.events import Paste
from textual.widget import Widget

HOSTILE = "a\x1b]52;c;b\x07 \u202e[red]c\u200b\udcff\x7f[/d] \x9b31m"


class OneField(App[None]):
    def __init__(self, make: Callable[[], Widget]) -> None:
        super().__init__()
        self.make = make

    def compose(self) -> ComposeResult:
        yield self.make()

    @property
    def field(self) -> Any:
        return self.query_one("SafeInput, SafeTextArea")

    @property
    def text(self) -> str:
        return self.field.value if isinstance(self.field, SafeInput) else self.field.text


@pytest.mark.anyio
@pytest.mark.parametrize("field", [SafeInput, SafeTextArea])
async def test_the_value_is_kept_and_shown_with_stand_ins(field: type, home: object) -> None:
    app = OneField(lambda: field(HOSTILE))
    async with app.run_test(size=(60, 5)):
        shown = screen_text(app)
        assert "a␛]52;c;b␇ �[red]c��␡[/d] �31m" in shown
        assert printable(shown, keep_newlines=True) == shown
        assert app.text == HOSTILE


@pytest.mark.anyio
@pytest.mark.parametrize("field", [SafeInput, SafeTextArea])
async def test_the_cursor_is_where_the_next_key_goes(field: type, home: object) -> None:
    app = OneField(lambda: field("\x1b\u200b\u202e\x01猫"))
    async with app.run_test(size=(60, 5)) as pilot:
        left = app.field.cursor_screen_offset.x if field is SafeTextArea else 0
        await pilot.press("end")
        await pilot.pause()
        if field is SafeTextArea:
            assert app.field.cursor_screen_offset.x - left == 6
        else:
            assert app.field._cursor_offset == 7  # with the cursor's own place
        await pilot.press("left", "left", "backspace", "x")
        assert app.text == "\x1b\u200bx\x01猫"


@pytest.mark.anyio
async def test_what_is_copied_and_undone_is_the_real_text(home: object) -> None:
    app = OneField(lambda: SafeTextArea("\x1bab\x07"))
    async with app.run_test(size=(60, 5)) as pilot:
        app.field.select_all()
        assert app.field.selected_text == "\x1bab\x07"
        await pilot.press("x", "ctrl+z")
        assert app.text == "\x1bab\x07"


@pytest.mark.anyio
async def test_long_lines_wrap_by_what_is_shown(home: object) -> None:
    app = OneField(lambda: SafeTextArea("\x01" * 5000))
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.press("ctrl+end")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert max(map(len, lines)) <= 40
        assert sum(line.count("␁") for line in lines) > 60


@pytest.mark.anyio
@pytest.mark.parametrize("field", [SafeInput, SafeTextArea])
async def test_a_paste_brings_no_control_characters(field: type, home: object) -> None:
    app = OneField(lambda: field(""))
    async with app.run_test(size=(60, 5)) as pilot:
        app.field.focus()
        await pilot.pause()
        app.post_message(Paste("a\x1b[31mb\x07\u200dc\udcff"))
        await pilot.pause()
        assert app.text == "a[31mb\u200dc"


@pytest.mark.anyio
async def test_a_placeholder_is_shown_safely_too(home: object) -> None:
    app = OneField(lambda: SafeInput(placeholder="\x1b[31m"))
    async with app.run_test(size=(60, 5)):
        assert "␛[31m" in screen_text(app)
