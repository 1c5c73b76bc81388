"""The templates that come along, and the documents made from definitions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lora_wizard.core.config import RunConfig, configfile, rules
from lora_wizard.core.config.options import walk
from lora_wizard.core.config.options_doc import document
from lora_wizard.core.errors import WizardError
from lora_wizard.core.templates import Template, filled, find, templates

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("template", templates(), ids=lambda template: template.name)
def test_a_template_says_what_it_is_and_is_free_of_problems(template: Template) -> None:
    config = configfile.load(template.path)
    assert template.title
    assert template.summary.endswith(".")
    assert re.search(r"\bS[0-4]\b", template.source)
    serious = [
        finding.problem for finding in rules.findings(config) if finding.problem.severity != "note"
    ]
    assert serious == []


def test_sources_that_are_named_are_explained() -> None:
    explained = set(re.findall(r"^\*\*(S\d)\*\*", (ROOT / "docs/sources.md").read_text(), re.M))
    named = {
        source
        for text in (*(info.source for info in walk(RunConfig)), *(t.text for t in templates()))
        for source in re.findall(r"\bS\d\b", text)
    }
    assert named == explained


def test_values_are_put_in_and_everything_else_is_left_as_it_was() -> None:
    template = find("style")
    assert filled(template, {}) == template.text
    values = {"network.rank": 8, "loss.min_snr_gamma": 5.0, "output.comment": 'a "b"\n'}
    text = filled(template, values)
    config = configfile.loads(text, Path("/"))
    flat = configfile.flat(config)
    assert {key: flat[key] for key in values} == values
    comments = [line.partition("#")[2] for line in template.text.splitlines() if "#" in line]
    assert all(comment in text for comment in comments)


def test_an_unknown_template_leads_to_the_one_that_was_meant() -> None:
    with pytest.raises(WizardError) as caught:
        find("stile")
    assert "style" in caught.value.remedy


def test_the_document_of_the_options_is_up_to_date() -> None:
    assert (ROOT / "docs/options.md").read_text() == document(), "run `make docs`"
