"""Families are found by name, from here and from elsewhere, without loading torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lora_wizard.core.errors import EXIT_FAILED
from lora_wizard.core.families import registry
from lora_wizard.core.registry import BrokenPluginError, UnknownNameError


def test_the_own_family_is_found() -> None:
    assert "sd1" in registry.names()
    assert registry.find("sd1").native_resolution == 512


def test_a_typing_mistake_is_answered_with_the_right_name() -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry.find("sd_1")
    assert 'Did you mean "sd1"?' in caught.value.remedy


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with a good family and two broken ones."""
    info = tmp_path / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[lora_wizard.families]\n"
        "moon = foreign_family:SPEC\nsun = foreign_family:absent\nstar = foreign_family:OTHER\n"
    )
    (tmp_path / "foreign_family.py").write_text(
        "from dataclasses import replace\n"
        "from lora_wizard.core.families.sd1 import SPEC as sd1\n"
        'SPEC = replace(sd1, name="moon")\nOTHER = 7\n'
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("foreign")
def test_a_family_of_another_distribution_is_found() -> None:
    assert {"moon", "sd1"} <= set(registry.names())
    assert registry.find("moon").name == "moon"


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("name", ["sun", "star"])
def test_a_broken_one_is_named_and_does_not_harm_the_others(name: str) -> None:
    with pytest.raises(BrokenPluginError) as caught:
        registry.find(name)
    assert name in caught.value.title
    assert "foreign_family" in caught.value.message
    assert caught.value.exit_code == EXIT_FAILED
    assert registry.find("sd1").name == "sd1"


def test_nothing_that_plans_loads_torch() -> None:
    code = """
import sys
from lora_wizard.core.families import registry as families
from lora_wizard.core.networks import registry as networks
from lora_wizard.core.sampling import pictures, prompts
from lora_wizard.core.weights import base_model, header, hub, metadata
families.find("sd1"), networks.find("lora")
print(sorted({"torch", "diffusers", "transformers", "peft"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
