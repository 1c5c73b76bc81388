"""The templates that come along, and the documents made from definitions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from datasets import write_pictures
from lora_wizard.core import preflight
from lora_wizard.core.config import RunConfig, configfile, kohya_doc, rules
from lora_wizard.core.config.config_problems import options
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


OWN = ("dataset.folder", "output.name")
"""What names the run, and comes from nobody."""


SOURCED = [template for template in templates() if template.name != "demo"]
"""The demo is measured on the miniature model, as its first lines say."""


@pytest.mark.parametrize("template", SOURCED, ids=lambda template: template.name)
def test_every_line_that_leaves_a_default_names_its_source(template: Template) -> None:
    unnamed: list[str] = []
    section = ""
    for line in template.text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        key, _, _ = line.partition(" = ")
        info = options().get(f"{section}.{key}")
        if line.startswith("#") or " = " not in line or f"{section}.{key}" in OWN:
            continue
        value = tomllib.loads(line)[key]
        if info and value in (info.default, [], ""):
            continue
        if not re.search(r"\bS[0-4]\b|authors", line.partition("#")[2]):
            unnamed.append(line)
    assert unnamed == []


@pytest.mark.parametrize("template", templates(), ids=lambda template: template.name)
def test_a_template_plans_the_steps_that_it_promises(template: Template, tmp_path: Path) -> None:
    promise = re.search(r"(\d+) pictures give (?:about )?([\d,]+) steps", template.summary)
    pictures = int(promise[1]) if promise else 10
    write_pictures(tmp_path / "pictures", pictures, "mika, in a garden")
    write_pictures(tmp_path / "class-pictures", 3)
    values = {"model.base": "embedded:demo"}
    config = configfile.loads(filled(template, values), tmp_path)
    found = preflight.inspect(config)
    assert [problem for problem in found.problems if problem.severity == "error"] == []
    assert found.schedule
    if promise:
        steps = int(promise[2].replace(",", ""))
        assert found.schedule.total_steps == pytest.approx(steps, rel=0.05)


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


def test_the_names_that_kohya_has_are_all_in_their_document() -> None:
    told = (ROOT / "docs/from-kohya.md").read_text()
    assert told == kohya_doc.document(), "run `make docs`"
    for info in options().values():
        for name in info.also.split(", "):
            assert name in ("", "inverted") or f"| `{name}`" in told
