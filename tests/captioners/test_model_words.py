"""What captioners that are models say of themselves, and how their words are tidied up."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from captioner_models import loaded, picture, tiny
from lora_wizard.captioners import registry
from lora_wizard.captioners.base import ModelSpec
from lora_wizard.captioners.conversation_model import conversation
from lora_wizard.captioners.model_files import Kind
from lora_wizard.captioners.transformers_model import ModelLoadingError, load_processor, one_line
from lora_wizard.captioners.vision_language import answer, fitted

MODELS = ("blip", "blip2", "florence2", "vision_language")


@pytest.mark.parametrize("name", MODELS)
def test_it_says_what_it_is_good_for_and_how_large_it_is(name: str) -> None:
    spec = registry.find(name)
    assert isinstance(spec, ModelSpec)
    assert spec.help.endswith(".") and " GB" in spec.help and "GPU memory" in spec.help
    for info in spec.option_infos():
        assert not info.required and info.help.endswith(".") and len(info.label) <= 24, info.key


def test_blip_begins_with_the_guides_values() -> None:
    options: Any = registry.find("blip").options()
    assert (options.beams, options.min_length, options.max_length) == (10, 25, 75)
    assert (options.batch_size, options.prefix) == (1, "")


@pytest.mark.parametrize(
    ("said", "caption"),
    [
        ("A cat.", "A cat."),
        ('"A cat."', "A cat."),
        ("“A cat.”", "A cat."),
        ('"A" and "B"', '"A" and "B"'),
        ("<think>A cat? Yes.</think> A cat.", "A cat."),
        ("<think>A cat? It could be", ""),
        ("", ""),
        ('"', '"'),
    ],
)
def test_what_a_model_says_in_the_end(said: str, caption: str) -> None:
    assert answer(said) == caption


def test_a_text_becomes_one_line() -> None:
    assert one_line(" A cat.\n\n- on\ta mat \x1b[31m\u202e\u200b") == "A cat. - on a mat [31m"


def test_half_a_sentence_at_the_end_is_left_out() -> None:
    """The miniature's tokens are letters, so the tokens of a text are known."""
    writer: Any = loaded("florence2")._writer  # type: ignore[attr-defined]

    def read(text: str, most: int) -> str:
        ids = writer.tokenizer(text, add_special_tokens=False).input_ids
        return writer.read_whole_sentences([*ids, 0, 0], most)

    text = 'It is 1.5 m tall. He said "no." And th'
    assert read(text, len(text)) == 'It is 1.5 m tall. He said "no."'
    assert read(text, len(text) + 1) == text
    assert read("no end at a", 11) == "no end at a"


@pytest.mark.parametrize(
    ("size", "resolution", "expected"),
    [
        ((1024, 1024), 1024, (1024, 1024)),
        ((4000, 3000), 1024, (1182, 887)),
        ((100, 50), 1024, (100, 50)),
        ((5000, 2), 1024, (5000, 50)),
        ((1, 30000), 1024, (102, 10240)),
    ],
)
def test_a_picture_is_made_smaller_but_no_line(
    size: tuple[int, int], resolution: int, expected: tuple[int, int]
) -> None:
    assert fitted(picture(0, *size), resolution).size == expected


def test_a_line_is_described_too() -> None:
    said = loaded("qwen3", max_length=5).describe([picture(1, 900, 1), picture(2, 2, 700)])
    assert len(said) == 2


def processor_with(template: str, tmp_path: Path) -> Any:
    processor = load_processor(str(tiny("llava")), Kind(title="", usual=""))
    processor.chat_template = template
    return processor


@pytest.mark.parametrize(
    "template", ["", "{{ nobody.knows }}", "{% for m in messages %}{{ m['content'] }}{% endfor %}"]
)
def test_a_template_without_a_place_for_a_picture_is_refused(template: str, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadingError, match="no conversation") as raised:
        conversation(processor_with(template, tmp_path), "", "What is it?")
    assert raised.value.remedy


def test_a_template_that_can_think_is_asked_not_to() -> None:
    asked: dict[str, object] = {}

    def render(messages: Any, **told: object) -> str:
        asked.update(told)
        return "<image>" + str(messages[-1]["content"][-1]["text"])

    made = SimpleNamespace(image_token="<image>", apply_chat_template=render)
    assert conversation(made, "", "What is it?") == "<image>What is it?"
    assert asked["enable_thinking"] is False


@pytest.mark.parametrize("end", ["", "<think>\n"])
def test_thoughts_that_the_template_begins_are_no_caption(end: str, tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m['content'][0]['type'] and '<image>' }}"
    template += "{{ m['content'][1]['text'] }}{% endfor %}" + end
    folder = tmp_path / "model"
    shutil.copytree(tiny("llava"), folder)
    processor = processor_with(template, tmp_path)
    processor.save_pretrained(folder)
    spec = registry.find("vision_language")
    assert isinstance(spec, ModelSpec)
    model = spec.load(
        spec.options.model_validate({"model": str(folder), "max_length": 9, "device": "cpu"})
    )
    (said,) = model.describe([picture(1)])
    assert bool(said) == (end == ""), "it was cut off before its thoughts had an end"


def test_a_captioner_of_another_distribution_is_one_file_and_one_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that the documentation shows."""
    shown = (Path(__file__).parents[2] / "docs/contributing.md").read_text()
    module, project = (
        shown.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("python", "toml")
    )
    ((group, points),) = tomllib.loads(project)["project"]["entry-points"].items()
    info = tmp_path / "greyness-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greyness\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\ngreyness = {points['greyness']}\n")
    (tmp_path / "greyness.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    assert "greyness" in registry.names()
    spec = registry.find("greyness")
    assert isinstance(spec, ModelSpec)
    assert [info.key for info in spec.option_infos()][-1] == "word"
    options = spec.options.model_validate({"word": "tone"})
    assert list(spec.missing(options)) == []
    white = picture(1).point(lambda _: 255)
    assert spec.load(options).describe([white, picture(2)])[0] == "tone 255"
