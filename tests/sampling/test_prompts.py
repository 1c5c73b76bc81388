"""Sample prompts with sd-scripts' options behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig, SampleOptions
from lora_wizard.core.errors import ProblemsError
from lora_wizard.core.sampling import samplers
from lora_wizard.core.sampling.prompts import expand, parse

OPTIONS = SampleOptions(steps=30, guidance=6.0, seed=7, negative_prompt="ugly")


def test_without_options_the_configuration_holds() -> None:
    prompt = parse("mika, a photo", OPTIONS, (512, 448))
    assert (prompt.prompt, prompt.negative_prompt) == ("mika, a photo", "ugly")
    assert (prompt.width, prompt.height) == (512, 448)
    assert (prompt.steps, prompt.guidance, prompt.seed) == (30, 6.0, 7)
    assert prompt.sampler == "euler_a"


def test_every_option_of_sd_scripts() -> None:
    line = "mika --w 640 --h 960 --s 25 --l 9.5 --d 1234 --ss k_euler --n low quality, --blurry"
    # A word of two dashes inside the negative prompt is an option that is not known.
    with pytest.raises(ProblemsError, match="--blurry"):
        parse(line, OPTIONS, (512, 512))
    prompt = parse(line.replace("--blurry", "well-lit - bad"), OPTIONS, (512, 512))
    assert prompt.prompt == "mika"
    assert prompt.negative_prompt == "low quality, well-lit - bad"
    assert (prompt.width, prompt.height, prompt.steps) == (640, 960, 25)
    assert (prompt.guidance, prompt.seed, prompt.sampler) == (9.5, 1234, "euler")


def test_an_empty_prompt_and_an_empty_negative_are_wishes() -> None:
    prompt = parse("--n --w 256", OPTIONS, (512, 512))
    assert (prompt.prompt, prompt.negative_prompt, prompt.width) == ("", "", 256)


def test_a_size_of_the_configuration_comes_before_the_default() -> None:
    options = SampleOptions(width=320)
    prompt = parse("mika", options, (512, 448))
    assert (prompt.width, prompt.height) == (320, 448)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x --w 512px", "--w 512px"),
        ("x --w 7", "from 8 to 8192"),
        ("x --w", "--w"),
        ("x --h -64", "--h -64"),
        ("x --h 1_000", "--h"),
        ("x --s 0", "from 1 to 1000"),
        ("x --s ٣", "--s"),
        ("x --s 20.5", "--s 20.5"),
        ("x --d 99999999999999999999999", "--d"),
        ("x --l nan", "from 0 to 100"),
        ("x --l inf", "--l inf"),
        ("x --l strong", "--l strong"),
        ("x --q 3", "--q is not known"),
        ("x --w 64 --w 128", "twice"),
        ("x --ss eulr", "eulr"),
    ],
)
def test_what_cannot_be_read_is_named(line: str, told: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        parse(line, OPTIONS, (512, 512))
    assert told in caught.value.message


def told(**samples: object) -> RunConfig:
    return RunConfig.model_validate({"model": {"base": "x"}, "samples": samples})


def test_all_problems_of_all_prompts_come_at_once() -> None:
    config = told(prompts=["good", "x --w 1 --s 0", "y --zz"], sampler="eulr")
    with pytest.raises(ProblemsError) as caught:
        expand(config, (512, 512))
    places = [problem.where for problem in caught.value.problems]
    assert places == [
        "samples.prompts[1]",
        "samples.prompts[1]",
        "samples.prompts[2]",
        "samples.sampler",
    ]
    assert '"euler"' in caught.value.problems[-1].remedy


def test_empty_lines_and_comments_are_left_out() -> None:
    config = told(prompts=["", "# size: --w", "mika", "   "])
    assert [prompt.prompt for prompt in expand(config, (64, 64))] == ["mika"]


def test_those_of_the_concepts_come_after_with_all_that_holds_for_prompts() -> None:
    concepts = [{"folder": "/a", "sample_prompt": "a dog --s 3"}, {"folder": "/b"}]
    config = RunConfig.model_validate(
        {
            "model": {"base": "x"},
            "samples": {"prompts": ["mika"], "negative_prompt": "blurry"},
            "dataset": {"concepts": [*concepts, {"folder": "/c", "sample_prompt": "c --zz"}]},
        }
    )
    with pytest.raises(ProblemsError) as caught:
        expand(config, (64, 64))
    assert [problem.where for problem in caught.value.problems] == [
        "dataset.concepts[2].sample_prompt"
    ]
    dataset = config.dataset.model_copy(update={"concepts": config.dataset.concepts[:2]})
    mika, dog = expand(config.model_copy(update={"dataset": dataset}), (64, 64))
    assert (mika.prompt, dog.prompt, dog.steps) == ("mika", "a dog", 3)
    assert dog.negative_prompt == "blurry"


@given(st.text(max_size=80))
def test_any_text_is_a_prompt_or_a_plain_error(text: str) -> None:
    try:
        prompt = parse(text, OPTIONS, (512, 512))
    except ProblemsError as error:
        assert error.problems
    else:
        assert prompt.prompt in text


@given(
    st.integers(8, 8192),
    st.integers(8, 8192),
    st.integers(1, 1000),
    st.floats(0, 100),
    st.integers(0, 2**63 - 1),
    st.sampled_from(list(samplers.SAMPLERS)),
)
def test_what_is_written_is_read(
    width: int, height: int, steps: int, guidance: float, seed: int, sampler: str
) -> None:
    line = f"p --w {width} --h {height} --s {steps} --l {guidance!r} --d {seed} --ss {sampler}"
    prompt = parse(line, OPTIONS, (512, 512))
    assert (prompt.width, prompt.height, prompt.steps) == (width, height, steps)
    assert (prompt.guidance, prompt.seed, prompt.sampler) == (guidance, seed, sampler)
