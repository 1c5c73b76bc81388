"""What the guides for people tell to type is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lora_wizard.core.config.config_problems import options
from lora_wizard.core.templates import templates
from lora_wizard.tui.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/guide.md", "docs/from-kohya.md", "docs/sources.md")
SECTIONS = {key.partition(".")[0] for key in options()}
QUOTED = re.compile(r"`([^`\n]+)`")


def quoted(page: str) -> list[str]:
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [*lines, *QUOTED.findall(re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))]


@pytest.mark.parametrize("page", PAGES)
def test_every_key_that_a_page_names_is_an_option(page: str) -> None:
    named = {
        hit.group()
        for text in quoted(page)
        for hit in re.finditer(r"\b[a-z]+\.[a-z_]+\b", text)
        if hit.group().partition(".")[0] in SECTIONS and not hit.group().endswith((".toml", ".py"))
    }
    assert named - set(options()) == set()


def test_every_command_and_switch_that_is_told_exists(capsys: pytest.CaptureFixture[str]) -> None:
    told = [text for page in PAGES for text in quoted(page) if text.startswith("lora-wizard ")]
    helps: dict[str, str] = {}
    for text in told:
        line = text.partition("#")[0].partition("&&")[0].partition("|")[0].split()
        command = line[1] if len(line) > 1 else ""
        if not re.fullmatch(r"[a-z]+,?", command):
            continue
        command = command.rstrip(",")
        if command not in helps:
            with pytest.raises(SystemExit) as ended:
                main([command, "--help"])
            assert ended.value.code == 0, text
            helps[command] = capsys.readouterr().out
        for switch in re.findall(r"(?<=\s)--[a-z-]+", text.partition("#")[0].partition("&&")[0]):
            assert switch in helps[command], text
    assert len(helps) > 8


def test_the_presets_of_the_guide_are_those_there_are() -> None:
    table = (
        (ROOT / "docs/guide.md").read_text().partition("| preset | for |")[2].partition("\n\n")[0]
    )
    named = {
        name
        for row in table.splitlines()
        for name in QUOTED.findall(row.split("|")[1] if "|" in row else "")
    }
    assert named == {template.name for template in templates()} - {"demo"}


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md", "docs/contributing.md"])
def test_what_a_page_links_to_is_there(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    assert targets
    missing = [target for target in targets if not ((ROOT / page).parent / target).exists()]
    assert missing == []
