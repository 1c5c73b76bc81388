"""What `[optimizer]` means with each optimizer: what is taken, refused, warned of. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core import preflight
from lora_wizard.core.config import OptimizerOptions, RunConfig, configfile, rules
from lora_wizard.core.config.config_problems import options
from lora_wizard.core.config.values import as_text, parse
from lora_wizard.core.errors import Problem, ProblemsError
from lora_wizard.core.optimizers import registry, settings
from lora_wizard.core.optimizers.base import Package, ParameterGroup

S4_PRODIGY = (
    "decouple=True d_coef=2 use_bias_correction=True safeguard_warmup=False"  # as S4 writes it
)
HEAD = '[model]\nbase = "owner/name"\n[dataset]\nfolder = "/pictures"\n[optimizer]\n'
FIRST_LINE = HEAD.count("\n") + 1


def problems_of(toml: str) -> dict[str, Problem]:
    with pytest.raises(ProblemsError) as caught:
        configfile.loads(HEAD + toml, Path("/runs"))
    return {problem.where.removeprefix("optimizer."): problem for problem in caught.value.problems}


def loaded(toml: str) -> OptimizerOptions:
    return configfile.loads(HEAD + toml, Path("/runs")).optimizer


def warned(**optimizer: Any) -> dict[str, Problem]:
    config = RunConfig.model_validate(
        {
            "model": {"base": "owner/name"},
            "dataset": {"folder": "/pictures"},
            "optimizer": optimizer,
        }
    )
    found = [finding.problem for finding in rules.findings(config)]
    return {
        problem.where.removeprefix("optimizer."): problem
        for problem in found
        if problem.where.startswith("optimizer.")
    }


def test_what_is_wrong_with_arguments_is_said_with_its_line() -> None:
    found = problems_of(
        'name = "prodigy"\n[optimizer.arguments]\nd_coeff = 2.0\ndecouple = 3\n'
        "d0 = 0.0\nweight_decay = 0.1\nlr = 1.0\nslice_p = true\n"
    )
    assert {key: problem.line for key, problem in found.items()} == {
        "arguments.d_coeff": FIRST_LINE + 2,
        "arguments.decouple": FIRST_LINE + 3,
        "arguments.d0": FIRST_LINE + 4,
        "arguments.weight_decay": FIRST_LINE + 5,
        "arguments.lr": FIRST_LINE + 6,
        "arguments.slice_p": FIRST_LINE + 7,
    }
    assert found["arguments.d_coeff"].remedy == "Did you mean d_coef?"
    assert found["arguments.decouple"].message == "decouple must be true or false, not 3"
    assert "above 0" in found["arguments.d0"].message
    assert "weight_decay = 0.1" in found["arguments.weight_decay"].remedy
    assert "learning_rate = 1 " in found["arguments.lr"].remedy


@pytest.mark.parametrize("value", ["3", '"x"', "{ a = { b = 1 } }", "{ a = 2024-01-01 }"])
def test_arguments_are_a_table_of_simple_values(value: str) -> None:
    assert any(key.startswith("arguments") for key in problems_of(f"arguments = {value}\n"))


def test_arguments_of_another_optimizer_are_refused() -> None:
    found = problems_of('name = "adafactor"\narguments = { d_coef = 2.0 }\n')
    assert "scale_parameter" in found["arguments.d_coef"].remedy
    assert "leave it out" in problems_of("arguments = { d_coef = 2 }\n")["arguments.d_coef"].remedy


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("adamw", (1e-4, 0.01, [0.9, 0.999], 1e-8)),
        ("adamw8bit", (1e-4, 0.01, [0.9, 0.999], 1e-8)),
        ("prodigy", (1.0, 0.01, [0.9, 0.99], 1e-8)),
        ("adafactor", (1e-4, 0.0, None, None)),
    ],
)
def test_what_is_left_out_is_the_optimizers_usual(name: str, expected: tuple[Any, ...]) -> None:
    options = loaded(f'name = "{name}"\n')
    got = (options.learning_rate, options.weight_decay, options.betas, options.epsilon)
    assert got == expected
    assert loaded(f'name = "{name}"\nlearning_rate = 0.5\n').learning_rate == 0.5


def test_a_run_keeps_what_was_usual_when_it_began() -> None:
    config = configfile.loads(HEAD + 'name = "prodigy"\n', Path("/runs"))
    assert "learning_rate = 1.0" in configfile.dumps(config)
    assert configfile.loads(configfile.dumps(config), Path("/x")) == config


@pytest.mark.parametrize(
    ("name", "rate", "is_warned"),
    [
        ("prodigy", 1e-4, True),  # S4's own
        ("prodigy", 0.1, True),
        ("prodigy", 0.5, False),
        ("adamw", 0.01, True),
        ("adamw", 4e-3, False),
        ("adamw8bit", 1.0, True),
        ("adafactor", 1e-8, True),
    ],
)
def test_rates_that_make_no_sense_are_warned_of(name: str, rate: float, is_warned: bool) -> None:
    found = warned(name=name, learning_rate=rate)
    assert (found.get("learning_rate") is not None) == is_warned
    if is_warned:
        assert found["learning_rate"].severity == "warning"
        usual = registry.find(name).usual["learning_rate"]
        assert f"{usual:g}" in found["learning_rate"].remedy


def test_a_rate_that_no_part_takes_is_not_judged() -> None:
    rates = {"unet_learning_rate": 1e-4, "text_encoder_learning_rate": "off"}
    assert warned(learning_rate=5.0, **rates) == {}
    assert list(warned(learning_rate=1e-4, text_encoder_learning_rate=0.5)) == [
        "text_encoder_learning_rate"
    ]


def test_prodigy_has_one_rate() -> None:
    found = warned(name="prodigy", text_encoder_learning_rate=0.5)
    assert found["text_encoder_learning_rate"].severity == "error"
    assert warned(name="prodigy", loraplus_ratio=4.0)["loraplus_ratio"].severity == "error"
    assert warned(name="prodigy", text_encoder_learning_rate="off") == {}
    both = {"unet_learning_rate": 0.5, "text_encoder_learning_rate": 0.5}
    assert warned(name="prodigy", **both) == {}
    assert warned(name="prodigy", warmup=10)["warmup"].severity == "note"
    safe = {"safeguard_warmup": True}
    assert warned(name="prodigy", warmup=10, arguments=safe) == {}


def test_prodigys_rates_are_mended_at_once() -> None:
    toml = 'name = "prodigy"\nlearning_rate = 1e-4\ntext_encoder_learning_rate = 5e-5\n'
    (mend,) = problems_of(toml)["text_encoder_learning_rate"].mends
    mended = {key.removeprefix("optimizer."): value for key, value in mend.values.items()}
    assert mended["learning_rate"] == 1.0
    assert warned(name="prodigy", **mended) == {}


def test_adafactors_own_rate_excludes_others() -> None:
    own = {"relative_step": True}
    assert warned(name="adafactor", arguments=own) == {}
    assert loaded('name = "adafactor"\narguments = { relative_step = true }').learning_rate is None
    found = warned(
        name="adafactor",
        arguments=own,
        learning_rate=1e-4,
        unet_learning_rate=1e-4,
        scheduler="cosine",
        warmup=5,
        loraplus_ratio=2.0,
    )
    assert {key: problem.severity for key, problem in found.items()} == dict.fromkeys(
        ("learning_rate", "unet_learning_rate", "scheduler", "warmup", "loraplus_ratio"), "error"
    )
    alone = warned(name="adafactor", arguments={"warmup_init": True})
    assert alone["arguments.warmup_init"].severity == "error"


def test_schedule_free_needs_no_schedule_and_no_second_average() -> None:
    name = "adamw_schedulefree"
    assert warned(name=name) == {}
    assert warned(name=name, scheduler="cosine")["scheduler"].severity == "warning"
    assert warned(name=name, betas=[0.0, 0.9])["betas"].severity == "error"
    config = HEAD + f'name = "{name}"\n[training]\nema_decay = 0.9\n'
    with pytest.raises(ProblemsError) as caught:
        configfile.loads(config, Path("/runs"))
    assert [problem.where for problem in caught.value.problems] == ["training.ema_decay"]


def test_options_that_the_optimizer_does_not_take_are_warned_of() -> None:
    found = warned(name="adafactor", betas=[0.9, 0.99], epsilon=1e-6, weight_decay=0.1)
    assert {key: problem.severity for key, problem in found.items()} == {
        "betas": "warning",
        "epsilon": "warning",
    }


def test_a_package_that_is_missing_is_said_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = registry.find("prodigy")
    missing = Package("no_such_package_here", "pip install prodigyopt")
    monkeypatch.setitem(registry._OPTIMIZERS._own, "prodigy", _with_package(spec, missing))
    config = configfile.loads(HEAD + 'name = "prodigy"\n', tmp_path)
    (found,) = [p for p in preflight.check(config) if p.where == "optimizer.name"]
    assert found.severity == "error"
    assert "pip install prodigyopt" in found.remedy


def _with_package(spec: Any, package: Package) -> Any:
    from dataclasses import replace

    return replace(spec, package=package)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("decouple = true, d_coef = 2.0", {"decouple": True, "d_coef": 2.0}),
        ("{ d_coef = 2.0 }", {"d_coef": 2.0}),
        (
            S4_PRODIGY,
            {
                "decouple": True,
                "d_coef": 2,
                "use_bias_correction": True,
                "safeguard_warmup": False,
            },
        ),
        ("a = 1e-3,b='x y'", {"a": 1e-3, "b": "x y"}),
        ("", None),
        ("nonsense", "nonsense"),
        ("d_coef =", "d_coef ="),
    ],
)
def test_arguments_as_they_are_typed_into_a_field(text: str, value: Any) -> None:
    info = options()["optimizer.arguments"]
    assert parse(info, text) == value
    if isinstance(value, dict):
        assert parse(info, as_text(info, value)) == value


def test_arguments_on_the_command_line() -> None:
    toml = HEAD + 'name = "prodigy"\narguments = { d_coef = 1.0, decouple = false }\n'

    def given(*overrides: str) -> dict[str, Any]:
        return configfile.loads(toml, Path("/runs"), overrides).optimizer.arguments

    assert given("optimizer.arguments.d_coef=0.5") == {"d_coef": 0.5, "decouple": False}
    assert given("optimizer.arguments={ d_coef = 3 }") == {"d_coef": 3}
    assert given(f"optimizer.arguments={S4_PRODIGY}")["use_bias_correction"] is True
    with pytest.raises(ProblemsError) as caught:
        given("optimizer.arguments.d_coeff=0.5")
    (problem,) = caught.value.problems
    assert problem.remedy == "Did you mean d_coef?" and problem.line is None


PLUGIN = """
from lora_wizard.core.config.options import Section, option
from lora_wizard.core.optimizers.base import OptimizerSpec
from lora_wizard.core.optimizers.settings import as_groups, chosen

class Arguments(Section):
    momentum: float = option(0.9, help="How much of the last step is in the next.", ge=0, lt=1)

def build(groups, options):
    import torch
    momentum = chosen(Arguments, options).momentum
    return torch.optim.SGD(as_groups(groups), lr=options.learning_rate, momentum=momentum)

SPEC = OptimizerSpec("sgd", "SGD", "The plain one.", build, {"learning_rate": 0.1}, Arguments,
    sensible_rates=(1e-4, 10))
"""


def test_an_optimizer_of_another_distribution_has_its_own_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "plain_sgd-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-sgd\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[lora_wizard.optimizers]\nsgd = plain_sgd:SPEC\n")
    (tmp_path / "plain_sgd.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    assert "sgd" in registry.names()
    options = loaded('name = "sgd"\narguments = { momentum = 0.5 }\n')
    assert options.learning_rate == 0.1 and options.betas is None
    import torch

    weights = torch.nn.Parameter(torch.zeros(2))
    optimizer = registry.find("sgd").build([ParameterGroup("denoiser", [weights], 0.1)], options)
    assert optimizer.param_groups[0]["momentum"] == 0.5
    found = problems_of('name = "sgd"\narguments = { momentun = 0.5 }\n')
    assert found["arguments.momentun"].remedy == "Did you mean momentum?"


def test_every_argument_has_a_default_a_help_and_a_short_label() -> None:
    for spec in settings.with_arguments():
        for info in settings.argument_infos(spec):
            assert not info.required and info.help.endswith(".") and len(info.label) <= 24, info.key
