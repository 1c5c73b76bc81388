"""The guides are named, wherever people read of them."""

from __future__ import annotations

import re

import pytest
from lora_wizard.core.config.config_problems import options
from lora_wizard.core.config.sources import explained, in_names, without_signs
from lora_wizard.core.templates import Template, templates

SIGN = re.compile(r"\bS\d\b")


def test_no_sign_is_left_in_any_advice() -> None:
    told = [in_names(info.source) for info in options().values() if info.source]
    assert told and not any(SIGN.search(text) for text in told)
    assert in_names("S0 S1; S4") == "JarvisLabs, Haoming; ThinkDiffusion"
    assert [name for name, _ in explained("S2 S3; S0")] == ["JarvisLabs", "rentry", "kohya"]


@pytest.mark.parametrize("template", templates(), ids=lambda template: template.name)
def test_a_template_says_what_its_signs_are(template: Template) -> None:
    head = template.text.partition("[")[0]
    assert set(SIGN.findall(template.text)) == set(SIGN.findall(head))
    assert not SIGN.search(without_signs(template.source))
