"""Options that do nothing together, or that are likely not meant so: warnings, not errors."""

from __future__ import annotations

from typing import Any

import pytest
from lora_wizard.core.config import RunConfig, rules


def findings(**sections: dict[str, Any]) -> dict[str, str]:
    """Severity by key, of a configuration that is fine but for ``sections``."""
    found = rules.findings(RunConfig.model_validate(_with(**sections)))
    return {finding.problem.where: finding.problem.severity for finding in found}


def _with(**sections: dict[str, Any]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {
        "model": {"base": "owner/name"},
        "dataset": {"folder": "/pictures"},
        "samples": {"prompts": ["mika"]},
        "output": {"folder": "/out"},
    }
    for section, changes in sections.items():
        values[section] = {**values.get(section, {}), **changes}
    return values


def test_nothing_is_said_about_what_is_fine() -> None:
    assert findings() == {}


@pytest.mark.parametrize(
    ("sections", "key", "mended"),
    [
        (
            {"captions": {"keep_tokens": 2}},
            "captions.keep_tokens",
            {"captions": {"keep_tokens": 2, "shuffle": True}},
        ),
        (
            {"captions": {"shuffle": True, "trigger_words": ["a", "b"], "keep_tokens": 1}},
            "captions.keep_tokens",
            {"captions": {"shuffle": True, "trigger_words": ["a", "b"], "keep_tokens": 2}},
        ),
        (
            {"captions": {"keep_tokens": 2, "tag_dropout": 1.0}},
            "captions.tag_dropout",
            {"captions": {"keep_tokens": 2, "tag_dropout": 0.1}},
        ),
        (
            {"captions": {"tag_dropout": 0.1, "trigger_words": ["a"]}},
            "captions.keep_tokens",
            {"captions": {"tag_dropout": 0.1, "trigger_words": ["a"], "keep_tokens": 1}},
        ),
        (
            {"captions": {"shuffle": True, "trigger_words": ["a"]}},
            "captions.keep_tokens",
            {
                "captions": {
                    "shuffle": True,
                    "trigger_words": ["a"],
                    "keep_tokens_separator": "|||",
                }
            },
        ),
        (
            {"captions": {"dropout_every_epochs": 11}},
            "captions.dropout_every_epochs",
            {"captions": {"dropout_every_epochs": 11}, "training": {"epochs": 11}},
        ),
        (
            {"captions": {"dropout_every_epochs": 1}},
            "captions.dropout_every_epochs",
            {"captions": {"dropout_every_epochs": 2}},
        ),
        (
            {"captions": {"dropout": 1.0}},
            "captions.dropout",
            {"captions": {"dropout": 0.9}},
        ),
        (
            {"network": {"conv_alpha": 2.0}},
            "network.conv_alpha",
            {"network": {"conv_alpha": 2.0, "conv_rank": 4}},
        ),
        (
            {"network": {"conv_rank": 4}, "optimizer": {"unet_learning_rate": "off"}},
            "network.conv_rank",
            {"network": {"conv_rank": 4}},
        ),
        (
            {"loss": {"prior_loss_weight": 0.5}},
            "loss.prior_loss_weight",
            {
                "loss": {"prior_loss_weight": 0.5},
                "dataset": {"folder": "/pictures", "regularization_folder": "/class"},
            },
        ),
        (
            {"loss": {"huber_c": 0.3}},
            "loss.huber_c",
            {"loss": {"huber_c": 0.3, "type": "smooth_l1"}},
        ),
        (
            {"loss": {"huber_schedule": "constant", "type": "l1"}},
            "loss.huber_schedule",
            {"loss": {"huber_schedule": "constant", "type": "huber"}},
        ),
        (
            {"loss": {"huber_scale": 2.0, "type": "huber"}},
            "loss.huber_scale",
            {"loss": {"huber_scale": 2.0, "type": "huber", "huber_schedule": "constant"}},
        ),
        (
            {"loss": {"multires_discount": 0.8}},
            "loss.multires_discount",
            {"loss": {"multires_discount": 0.8, "multires_iterations": 6}},
        ),
        (
            {"loss": {"noise_offset_random_strength": True}},
            "loss.noise_offset_random_strength",
            {"loss": {"noise_offset_random_strength": True, "noise_offset": 0.1}},
        ),
        (
            {"loss": {"input_perturbation_random_strength": True}},
            "loss.input_perturbation_random_strength",
            {"loss": {"input_perturbation_random_strength": True, "input_perturbation": 0.1}},
        ),
        (
            {"loss": {"adaptive_noise_scale": -0.1}},
            "loss.adaptive_noise_scale",
            {"loss": {"adaptive_noise_scale": -0.1, "noise_offset": 0.1}},
        ),
        (
            {"optimizer": {"restarts": 3}},
            "optimizer.restarts",
            {"optimizer": {"restarts": 3, "scheduler": "cosine_with_restarts"}},
        ),
        (
            {"optimizer": {"power": 2.0}},
            "optimizer.power",
            {"optimizer": {"power": 2.0, "scheduler": "polynomial"}},
        ),
        (
            {"dataset": {"buckets": False, "bucket_min_side": 64}},
            "dataset.bucket_min_side",
            {"dataset": {"buckets": True, "bucket_min_side": 64}},
        ),
        (
            {"output": {"keep_last": 2, "save_every_epochs": 0}},
            "output.keep_last",
            {"output": {"keep_last": 2, "save_every_steps": 5, "save_every_epochs": 0}},
        ),
        (
            {"dataset": {"folder": "", "concepts": [{"folder": "/a"}], "repeats": 2}},
            "dataset.repeats",
            {"dataset": {"folder": "", "concepts": [{"folder": "/a", "repeats": 2}]}},
        ),
    ],
)
def test_what_has_no_effect_is_a_warning(
    sections: dict[str, Any], key: str, mended: dict[str, Any]
) -> None:
    assert findings(**sections) == {key: "warning"}
    assert findings(**mended) == {}


def test_two_ways_to_the_same_end_are_one_too_many() -> None:
    loss: dict[str, Any] = {"multires_iterations": 6, "noise_offset": 0.1}
    assert findings(loss=loss) == {"loss.multires_iterations": "warning"}
    assert findings(loss={"multires_iterations": 6}) == {}
    loss = {"debiased": True, "min_snr_gamma": 5.0}
    assert findings(loss=loss) == {"loss.debiased": "warning"}
    assert findings(loss={"debiased": True}) == {}


def test_short_weights_and_schedule_free_ones_exclude_each_other() -> None:
    network = {"max_norm": 1.0}
    found = findings(network=network, optimizer={"name": "adamw_schedulefree"})
    assert found["network.max_norm"] == "error"
    assert "network.max_norm" not in findings(network=network)


def test_a_span_of_timesteps_has_some() -> None:
    nothing = {"min_timestep": 500, "max_timestep": 500}
    assert findings(loss=nothing) == {"loss.min_timestep": "error"}
    assert findings(loss={"min_timestep": 500, "max_timestep": 501}) == {}


def test_a_run_without_samples_is_worth_a_note() -> None:
    assert findings(samples={"prompts": []}) == {"samples.prompts": "note"}
    quiet = {"prompts": [], "every_epochs": 0}
    assert findings(samples=quiet) == {}


def test_folders_that_would_feed_on_themselves() -> None:
    assert findings(output={"folder": "/pictures/out"}) == {"output.folder": "error"}
    assert findings(output={"folder": "/pictures-out"}) == {}
    same = {"folder": "/pictures", "regularization_folder": "/pictures"}
    assert findings(dataset=same) == {"dataset.regularization_folder": "error"}
    twice = {"folder": "", "concepts": [{"folder": "/a"}, {"folder": "/a"}]}
    assert findings(dataset=twice) == {"dataset.concepts[1].folder": "error"}


@pytest.mark.parametrize("name", ["color", "random_crop"])
def test_what_changes_pixels_needs_them_anew_each_time(name: str) -> None:
    cached = {"augmentation": {name: True, "flip": True}}
    assert findings(**cached) == {f"augmentation.{name}": "error"}
    (finding,) = rules.findings(RunConfig.model_validate(_with(**cached)))
    (mend,) = finding.problem.mends
    assert mend.values == {"dataset.cache_latents": False}
    uncached = {"dataset": {"folder": "/pictures", "cache_latents": False}}
    assert findings(**cached, **uncached) == {"dataset.cache_latents": "note"}


def test_a_cache_that_is_off_for_nothing_is_warned_of() -> None:
    uncached = {"dataset": {"folder": "/pictures", "cache_latents": False}}
    assert findings(**uncached) == {"dataset.cache_latents": "warning"}
    assert findings(**uncached, augmentation={"flip": True}) == {"dataset.cache_latents": "warning"}
    assert findings(augmentation={"flip": True}) == {}


@pytest.mark.parametrize(
    ("captions", "key", "severity"),
    [
        ({"shuffle": True, "keep_tokens_separator": "a, b"}, "keep_tokens_separator", "error"),
        ({"shuffle": True, "secondary_separator": ","}, "secondary_separator", "error"),
        (
            {"shuffle": True, "secondary_separator": ";;", "keep_tokens_separator": ";;"},
            "secondary_separator",
            "error",
        ),
        ({"secondary_separator": ";;"}, "secondary_separator", "note"),
        ({"keep_tokens_separator": "|||"}, "keep_tokens_separator", "note"),
        (
            {"shuffle": True, "keep_tokens": 1, "keep_tokens_separator": "|||"},
            "keep_tokens",
            "note",
        ),
    ],
)
def test_marks_in_captions(captions: dict[str, Any], key: str, severity: str) -> None:
    assert findings(captions=captions) == {f"captions.{key}": severity}


def test_a_prompt_that_forgets_the_captions_is_noticed() -> None:
    concepts = [{"folder": "/a", "prompt": "mika, [filewords]"}, {"folder": "/b", "prompt": "mika"}]
    found = findings(dataset={"folder": "", "concepts": concepts})
    assert found == {"dataset.concepts[1].prompt": "note"}
