"""What a LoRA file says of itself is true, complete, and the same next time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core.config import CaptionOptions, RunConfig
from lora_wizard.core.dataset.plan import Bucket, ConceptSummary, Crop, DatasetPlan, Sample
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.weights import metadata
from lora_wizard.core.weights.metadata import Training

TRAINING = Training(
    resolution=(512, 640),
    batches_per_epoch=12,
    epochs=10,
    total_steps=120,
    warmup_steps=6,
    step=36,
    epoch=3,
)


def sample(name: str, caption: str, **changes: Any) -> Sample:
    made = Sample(
        id=f"mika/{name}",
        folder=Path("/home/someone/secret/5_mika"),
        name=name,
        width=600,
        height=600,
        file_size=1,
        modified_ns=1,
        concept="mika",
        trigger_words=("m1ka",),
        repeats=5,
        is_regularization=False,
        bucket=Bucket(512, 512),
        crop=Crop(512, 512, 0, 0),
        caption=caption,
        caption_file=None,
    )
    return replace(made, **changes)


@pytest.fixture
def plan() -> DatasetPlan:
    folder = Path("/home/someone/secret")
    return DatasetPlan(
        samples=(
            sample("a.png", "red hat, garden"),
            sample("b.png", " garden ,, red hat", bucket=Bucket(448, 576)),
            sample("c.png", "garden"),
            sample("d.png", "a woman", concept="class", repeats=1, is_regularization=True),
        ),
        concepts=(
            ConceptSummary("mika", folder / "5_mika", 3, 3, 5, False, 1.0),
            ConceptSummary("class", folder / "1_class", 1, 1, 1, True, 0.0),
        ),
    )


def built(plan: DatasetPlan, **tables: dict[str, Any]) -> dict[str, str]:
    given = {"model": {"base": "owner/base"}, **tables}
    config = RunConfig.model_validate(given)
    return metadata.build(config, SPEC, "networks.lora", "ab" * 32, plan, TRAINING)


def test_everything_is_text(plan: DatasetPlan) -> None:
    texts = built(plan)
    assert all(isinstance(value, str) for value in texts.values())
    assert texts["ss_base_model_version"] == "sd_v1"
    assert texts["ss_sd_model_name"] == "owner/base"
    assert texts["lora_wizard_base_hash"] == "ab" * 32


def test_the_numbers_are_those_of_the_run(plan: DatasetPlan) -> None:
    texts = built(plan, network={"rank": 16}, model={"base": "a/b", "precision": "fp32"})
    wanted = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": "16",
        "ss_network_alpha": "8.0",
        "ss_num_train_images": "15",
        "ss_num_reg_images": "1",
        "ss_num_batches_per_epoch": "12",
        "ss_max_train_steps": "120",
        "ss_steps": "36",
        "ss_epoch": "3",
        "ss_resolution": "(512, 640)",
        "ss_mixed_precision": "no",
        "ss_min_snr_gamma": "None",
        "modelspec.resolution": "512x640",
    }
    assert texts.items() >= wanted.items()


def test_the_networks_arguments_are_told_in_sd_scripts_words(plan: DatasetPlan) -> None:
    texts = built(plan)
    assert texts["ss_network_args"] == "{}"
    assert texts["ss_network_dropout"] == texts["ss_scale_weight_norms"] == "None"
    assert not any("continued" in name for name in texts)
    network = {
        "conv_rank": 8,
        "conv_alpha": 2.0,
        "dropout": 0.1,
        "rank_dropout": 0.2,
        "module_dropout": 0.3,
        "max_norm": 1.0,
    }
    texts = built(plan, network=network)
    assert json.loads(texts["ss_network_args"]) == {
        "conv_dim": "8",
        "conv_alpha": "2.0",
        "rank_dropout": "0.2",
        "module_dropout": "0.3",
    }
    assert (texts["ss_network_dropout"], texts["ss_scale_weight_norms"]) == ("0.1", "1.0")


def test_the_noise_and_the_loss_are_told_in_sd_scripts_words(plan: DatasetPlan) -> None:
    texts = built(plan)
    assert texts["ss_loss_type"] == "l2" and texts["ss_huber_c"] == "None"
    assert texts["ss_multires_noise_iterations"] == texts["ss_multires_noise_discount"] == "None"
    assert "modelspec.timestep_range" not in texts
    loss = {
        "type": "smooth_l1",
        "huber_c": 0.2,
        "huber_scale": 2.0,
        "debiased": True,
        "noise_offset": 0.05,
        "multires_iterations": 6,
        "input_perturbation": 0.1,
        "input_perturbation_random_strength": True,
        "max_timestep": 500,
    }
    wanted = {
        "ss_loss_type": "smooth_l1",
        "ss_huber_schedule": "snr",
        "ss_huber_c": "0.2",
        "ss_huber_scale": "2.0",
        "ss_debiased_estimation": "True",
        "ss_noise_offset": "0.05",
        "ss_noise_offset_random_strength": "False",
        "ss_multires_noise_iterations": "6",
        "ss_multires_noise_discount": "0.3",
        "ss_ip_noise_gamma": "0.1",
        "ss_ip_noise_gamma_random_strength": "True",
        "modelspec.timestep_range": "0,500",
    }
    assert built(plan, loss=loss).items() >= wanted.items()


def test_what_the_base_predicts_is_told_of_the_loaded_one(plan: DatasetPlan) -> None:
    config = RunConfig.model_validate({"model": {"base": "owner/base"}})
    for prediction, zero in (("epsilon", False), ("v", True)):
        spec = replace(SPEC, prediction=prediction, zero_terminal_snr=zero)
        texts = metadata.build(config, spec, "networks.lora", "ab" * 32, plan, TRAINING)
        assert texts["modelspec.prediction_type"] == prediction
        assert texts["ss_v_parameterization"] == texts["ss_zero_terminal_snr"] == str(zero)


def test_rates_are_what_was_trained_with(plan: DatasetPlan) -> None:
    rates = {"learning_rate": 2e-4, "text_encoder_learning_rate": "off"}
    texts = built(plan, optimizer=rates)
    assert texts["ss_unet_lr"] == "0.0002"
    assert texts["ss_text_encoder_lr"] == "0.0"


def test_tags_are_counted_per_folder_and_regularization_left_out(plan: DatasetPlan) -> None:
    tags = json.loads(built(plan)["ss_tag_frequency"])
    assert tags == {"5_mika": {"garden": 3, "m1ka": 3, "red hat": 2}}
    assert list(tags["5_mika"]) == ["garden", "m1ka", "red hat"]
    assert tags.keys() == json.loads(built(plan)["ss_dataset_dirs"]).keys()


def test_tags_that_differ_by_their_case_or_say_the_trigger_words_are_one() -> None:
    captions = ("Red Hat", "red hat", "m1ka, garden", "M1ka in a garden")
    plan = DatasetPlan(tuple(sample(f"{text}.png", text) for text in captions), ())
    assert metadata.tag_frequency(plan, CaptionOptions()) == {
        "5_mika": {"m1ka": 3, "red hat": 2, "garden": 1, "m1ka in a garden": 1}
    }


def test_marks_and_lines_are_no_tags() -> None:
    plan = DatasetPlan((sample("a.png", "a ||| b;;c\nd", prompt="x, [filewords]"),), ())
    captions = CaptionOptions(keep_tokens_separator="|||", secondary_separator=";;")
    found = metadata.tag_frequency(plan, captions)["5_mika"]
    assert found == {"m1ka": 1, "x": 2, "a": 1, "b": 1, "c": 1, "d": 1}


def test_how_captions_were_read_is_told_where_it_is_not_the_usual_way(plan: DatasetPlan) -> None:
    usual, other = built(plan), built(plan, captions={"max_tokens": 150, "tag_dropout": 0.2})
    assert set(other) - set(usual) == {"ss_max_token_length", "ss_caption_tag_dropout_rate"}
    assert other["ss_max_token_length"] == "150"


def test_a_steps_pictures_are_those_of_all_its_batches(plan: DatasetPlan) -> None:
    texts = built(plan, training={"batch_size": 3, "gradient_accumulation": 4})
    assert (texts["ss_batch_size_per_device"], texts["ss_total_batch_size"]) == ("3", "12")


def test_folders_and_buckets_are_counted(plan: DatasetPlan) -> None:
    texts = built(plan)
    assert json.loads(texts["ss_dataset_dirs"]) == {"5_mika": {"n_repeats": 5, "img_count": 3}}
    assert json.loads(texts["ss_reg_dataset_dirs"]) == {"1_class": {"n_repeats": 1, "img_count": 1}}
    buckets = json.loads(texts["ss_bucket_info"])["buckets"]
    assert buckets == {
        "0": {"resolution": [448, 576], "count": 5},
        "1": {"resolution": [512, 512], "count": 11},
    }


def test_the_model_specification_is_kept(plan: DatasetPlan) -> None:
    texts = built(plan, output={"name": "mika", "comment": "trigger: m1ka"})
    assert texts["modelspec.sai_model_spec"] == "1.0.1"
    assert texts["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert texts["modelspec.implementation"] == "diffusers"
    assert texts["modelspec.title"] == "mika"
    assert texts["modelspec.prediction_type"] == "epsilon"
    assert texts["modelspec.trigger_phrase"] == "m1ka"
    assert texts["ss_training_comment"] == "trigger: m1ka"


def test_no_path_of_this_machine_is_told(plan: DatasetPlan, tmp_path: Path) -> None:
    base = tmp_path / "private" / "my-base"
    base.mkdir(parents=True)
    folders = {"folder": str(tmp_path / "pictures")}
    texts = built(plan, model={"base": str(base)}, dataset=folders, output={"folder": "/out/x"})
    everything = "\n".join(texts.values())
    assert texts["ss_sd_model_name"] == "my-base"
    assert "/" not in everything.replace("stable-diffusion-v1/lora", "")
    assert "secret" not in everything
