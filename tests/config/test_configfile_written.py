"""A configuration that is written out, and what is written of its options."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig, configfile
from lora_wizard.core.config.options import walk
from lora_wizard.core.optimizers.settings import settled

MINIMAL = '[model]\nbase = "base"\n[dataset]\nfolder = "pictures"\n'

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    captions=st.fixed_dictionaries(
        {"prefix": TEXT, "trigger_words": st.lists(TEXT, max_size=3), "dropout": st.floats(0, 1)}
    ),
    rate=st.floats(0, 10, exclude_min=True) | st.sampled_from(["inherit"]),
    resolution=st.none()
    | st.integers(8, 8192)
    | st.lists(st.integers(8, 8192), min_size=2, max_size=2),
    seed=st.integers(0, 2**63 - 1),
    concepts=st.booleans(),
)
def test_what_is_written_reads_back_equal(
    captions: dict, rate: float | str, resolution: object, seed: int, concepts: bool
) -> None:
    folders = {"concepts": [{"folder": "/a", "trigger_words": []}, {"folder": "/b"}]}
    config = RunConfig.model_validate(
        {
            "model": {"base": "owner/name"},
            "dataset": {**(folders if concepts else {"folder": "/a"}), "resolution": resolution},
            "captions": captions,
            "training": {"seed": seed},
            "optimizer": {"text_encoder_learning_rate": rate},
            "output": {"folder": "/out"},
        }
    )
    whole = config.model_copy(update={"optimizer": settled(config.optimizer)})
    assert configfile.loads(configfile.dumps(config), Path("/elsewhere")) == whole


def test_a_written_configuration_means_the_same_from_anywhere(tmp_path: Path) -> None:
    config = configfile.loads(MINIMAL, tmp_path / "here")
    configfile.write(config, tmp_path / "there/config.toml")
    assert configfile.load(tmp_path / "there/config.toml") == config


def test_every_option_says_what_may_stand_there_and_what_it_does() -> None:
    for info in walk(RunConfig):
        assert info.help.endswith((".", ")")), info.key
        assert info.allowed, info.key
