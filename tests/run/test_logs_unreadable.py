"""A log that cannot be read is named, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.core.errors import WizardError
from lora_wizard.tui.commands.logs import _print_from


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "trainer.log"
    folder.mkdir()
    with pytest.raises(WizardError, match="log cannot be read"):
        _print_from(folder, 0, rest=True)


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert _print_from(tmp_path / "trainer.log", 7, rest=True) == 7
