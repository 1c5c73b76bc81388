"""The tagger of drawings: what it sees, what it says, what it says when it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_tagger
from lora_wizard.captioners import registry
from lora_wizard.captioners.base import OutOfMemoryError
from lora_wizard.captioners.wd_tagger import SPEC, WDTagger, WDTaggerOptions, picture_values
from lora_wizard.captioners.wd_tags import spaced
from lora_wizard.core.errors import WizardError
from PIL import Image
from pydantic import ValidationError

SAID = {
    "general": (9, 0.2),
    "sensitive": (9, 0.7),
    "questionable": (9, 0.1),
    "explicit": (9, 0.1),
    "1girl": (0, 0.6),
    "blue_hair": (0, 0.9),
    "^_^": (0, 0.4),
    "hat": (0, 0.34),
    "saber_(fate)": (4, 0.86),
    "rin_(summer)_(fate)": (4, 0.95),
    "archer": (4, 0.84),
    "some_series": (3, 0.99),
}


def picture(width: int = 20, height: int = 20, seed: int = 0) -> Image.Image:
    """Smooth, with three colours that differ, and of more contrast than any resampling adds."""
    noise = np.random.default_rng(seed).uniform(40, 215, (4, 4, 3)).astype(np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)


def load(model: Path | str, **options: object) -> WDTagger:
    loaded = SPEC.load(WDTaggerOptions.model_validate({"model": str(model), **options}))
    assert isinstance(loaded, WDTagger)
    return loaded


def said(model: Path, **options: object) -> str:
    (text,) = load(model, **options).describe([picture()])
    return text


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tagger.fixed_answers(tmp_path_factory.mktemp("tagger"), SAID)


@pytest.fixture(scope="module")
def by_colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says blue, green and red where the mean of that colour is above half."""
    return colour_model(tmp_path_factory.mktemp("colours"))


def colour_model(folder: Path, **options: Any) -> Path:
    names = [(name, 0) for name in ("blue", "green", "red")]
    weights, bias = np.eye(3) / 10, np.full(3, -12.75)
    return tiny_tagger.build(folder, names, weights, bias, **options)


@pytest.mark.parametrize(
    ("options", "caption"),
    [
        ({}, "blue hair, 1girl, ^_^, rin (summer) (fate), saber (fate)"),
        ({"order": "published"}, "1girl, blue hair, ^_^, saber (fate), rin (summer) (fate)"),
        ({"characters_first": True}, "rin (summer) (fate), saber (fate), blue hair, 1girl, ^_^"),
        (
            {"replace_underscores": False},
            "blue_hair, 1girl, ^_^, rin_(summer)_(fate), saber_(fate)",
        ),
        ({"series_apart": True}, "blue hair, 1girl, ^_^, rin (summer), fate, saber"),
        ({"general_threshold": 0.95, "character_threshold": 0.9}, "rin (summer) (fate)"),
        ({"general_threshold": 1.0, "character_threshold": 1.0}, ""),
        ({"general_threshold": 0.5, "character_threshold": 1, "rating": "first"},
         "sensitive, blue hair, 1girl"),
        ({"general_threshold": 0.5, "character_threshold": 1, "rating": "last"},
         "blue hair, 1girl, sensitive"),
        ({"general_threshold": 0.3, "character_threshold": 1}, "blue hair, 1girl, ^_^, hat"),
        ({"excluded_tags": ["Blue_Hair", "saber (fate)", "^_^"]}, "1girl, rin (summer) (fate)"),
        ({"excluded_tags": ["fate"], "series_apart": True, "general_threshold": 0.95},
         "rin (summer), saber"),
        ({"excluded_tags": ["saber_(fate)"], "series_apart": True, "general_threshold": 0.95},
         "rin (summer), fate"),
        ({"first_tags": ["saber_(fate)", "1girl", "cat"]},
         "saber (fate), 1girl, blue hair, ^_^, rin (summer) (fate)"),
    ],
)  # fmt: skip
def test_what_is_said(model: Path, options: dict[str, object], caption: str) -> None:
    assert said(model, **options) == caption


def test_a_tag_is_said_from_its_threshold_on(tmp_path: Path) -> None:
    folder = tiny_tagger.fixed_answers(tmp_path, {"even": (0, 0.5), "below": (0, 0.4999)})
    assert said(folder, general_threshold=0.5) == "even"


def test_equal_confidences_keep_the_published_order(tmp_path: Path) -> None:
    folder = tiny_tagger.fixed_answers(tmp_path, dict.fromkeys(["zebra", "ant", "cow"], (0, 0.5)))
    assert said(folder) == "zebra, ant, cow"


@pytest.mark.parametrize(
    "face",
    ["^_^", "o_o", "0_0", "(o)_(o)", "+_+", "<|>_<|>", ">_<", "3_3", "6_9", "@_@", "|_|", "||_||"],
)
def test_faces_keep_their_underscores(face: str) -> None:
    assert spaced(face) == face


def test_words_do_not() -> None:
    assert [spaced(name) for name in ("v_arms", "k_(series)", "one_eye_closed", "solo")] == [
        "v arms",
        "k (series)",
        "one eye closed",
        "solo",
    ]


def test_the_published_threshold_is_the_models_own(tmp_path: Path) -> None:
    answers = {"above": (0, 0.27), "below": (0, 0.26)}
    folder = tiny_tagger.fixed_answers(tmp_path / "wd-swinv2-tagger-v3", answers)
    assert said(folder, general_threshold="published") == "above"


def test_an_unknown_models_published_threshold_is_asked_for(model: Path) -> None:
    options = WDTaggerOptions(model=str(model), general_threshold="published")
    (problem,) = SPEC.missing(options)
    assert (problem.where, problem.severity) == ("general_threshold", "error")
    with pytest.raises(WizardError, match="threshold"):
        SPEC.load(options)


def test_thresholds_are_shares() -> None:
    with pytest.raises(ValidationError):
        WDTaggerOptions(general_threshold=35)


def test_the_picture_stands_in_the_middle_of_a_white_square_blue_first() -> None:
    wide = Image.new("RGB", (8, 4), (10, 20, 30))
    values = picture_values(wide, 8)
    expected = np.full((8, 8, 3), 255, np.float32)
    expected[2:6] = [30, 20, 10]
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)


def test_an_odd_rest_goes_below_and_to_the_right() -> None:
    values = picture_values(Image.new("RGB", (1, 4), (0, 0, 0)), 4)
    assert [int((values[:, x] == 0).all()) for x in range(4)] == [0, 1, 0, 0]


@pytest.mark.parametrize(("before", "after"), [(32, 8), (5, 13)])
def test_it_is_scaled_bicubically(before: int, after: int) -> None:
    image = picture(before, before)
    expected = bicubic(np.asarray(image, np.float64), after)[..., ::-1]
    np.testing.assert_allclose(picture_values(image, after), expected, atol=1.01)


def bicubic(values: np.ndarray, side: int) -> np.ndarray:
    """Convolution with Keys' cubic (a = -0.5), as wide as the shrinking asks, by the formula."""

    def along(values: np.ndarray) -> np.ndarray:
        scale = len(values) / side
        width = max(scale, 1)
        centres = (np.arange(side)[:, None] + 0.5) * scale
        x = np.abs((np.arange(len(values))[None] + 0.5 - centres) / width)
        near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
        kernel = np.where(x < 1, near, np.where(x < 2, far, 0))
        return np.tensordot(kernel / kernel.sum(1, keepdims=True), values, 1)

    across = along(values).transpose(1, 0, 2)
    return np.clip(along(across).transpose(1, 0, 2), 0, 255)


def test_a_very_long_picture_takes_no_gigabytes() -> None:
    values = picture_values(Image.new("RGB", (20_000, 500), (0, 0, 0)), 64)
    black = np.all(values < 128, axis=2)
    assert values.shape == (64, 64, 3) and black[32].all() and black.sum() <= 2 * 64
    code = (
        "from pathlib import Path\n"
        "from PIL import Image\n"
        "from lora_wizard.captioners.wd_tagger import picture_values\n"
        "picture_values(Image.new('RGB', (20_000, 10)), 64)\n"
        "(line,) = [line for line in Path('/proc/self/status').read_text().splitlines()"
        " if line.startswith('VmHWM')]\n"
        "print(line.split()[1])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    # In KiB; the square of its own size would be 1.2 GB.
    assert int(ran.stdout) < 600_000, ran.stderr


def test_colours_are_seen_as_the_model_was_trained(by_colour: Path) -> None:
    pictures = [Image.new("RGB", (9, 9), colour) for colour in ("#f00000", "#00f000", "#0000f0")]
    assert load(by_colour).describe(pictures) == ["red", "green", "blue"]


def test_the_answer_is_that_of_numpy(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    names = [(f"tag{n}", 0) for n in range(40)]
    weights, bias = random.normal(0, 0.005, (3, 40)), random.normal(0, 1, 40)
    folder = tiny_tagger.build(tmp_path, names, weights, bias)
    image = picture(tiny_tagger.SIDE, tiny_tagger.SIDE)
    means = np.asarray(image, np.float64)[..., ::-1].mean((0, 1))
    confidences = 1 / (1 + np.exp(-(means @ weights + bias)))
    order = np.argsort(-confidences, kind="stable")
    expected = [names[n][0] for n in order if confidences[n] >= 0.6]
    assert 3 < len(expected) < 37
    (text,) = load(folder, general_threshold=0.6).describe([image])
    assert text.split(", ") == expected


@pytest.mark.parametrize("batch", ["N", 1, 4])
def test_a_batch_says_what_each_picture_alone_says(tmp_path: Path, batch: int | str) -> None:
    tagger = load(colour_model(tmp_path, batch=batch), general_threshold=0.4)
    pictures = [picture(30 + n, 60 - n, seed=n) for n in range(6)]
    together = tagger.describe(pictures)
    assert len(set(together)) > 1
    assert together == [text for one in pictures for text in tagger.describe([one])]
    assert tagger.describe([]) == []


def test_a_model_for_pictures_of_any_size_gets_the_usual_one(tmp_path: Path) -> None:
    usual = 448 * 448
    weights, bias = np.zeros((3, 2)), 1 + np.array([-0.01, 0.01]) * usual
    weights[0] = [0.01, -0.01]
    names = [("not smaller", 0), ("not larger", 0)]
    folder = tiny_tagger.build(tmp_path, names, weights, bias, side="side", pooling="ReduceSum")
    (text,) = load(folder, general_threshold=0.6).describe([Image.new("RGB", (9, 9), (0, 0, 1))])
    assert {*text.split(", ")} == {"not smaller", "not larger"}


def test_too_large_a_batch_is_told_and_a_smaller_one_still_works(tmp_path: Path) -> None:
    tagger = load(colour_model(tmp_path, greedy=True))
    red = Image.new("RGB", (9, 9), "#f00000")
    with pytest.raises(OutOfMemoryError):
        tagger.describe([red, red])
    assert tagger.describe([red]) == ["red"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "name and category"),
        (b"version https://git-lfs.github.com/spec/v1\n", "name and category"),
        (b"tag_id,name,category,count\n", "no tags"),
        (b"tag_id,name,category,count\n1,hat,0,5\n2,coat\n", "line 3"),
        (b"tag_id,name,category,count\n1,hat,zero,5\n", "line 2"),
        (b"tag_id,name,category,count\n1,,0,5\n", "line 2"),
        (b'tag_id,name,category,count\n1,"a\x1b[2Jb",0,5\n', "no caption can hold"),
        (b'tag_id,name,category,count\n1,"hat,0,5\n', "selected_tags.csv"),
        (b"tag_id,name,category,count\n1,\xff,0,5\n", "selected_tags.csv"),
    ],
)
def test_a_damaged_list_of_tags_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    folder = tiny_tagger.fixed_answers(tmp_path, {"hat": (0, 0.9)})
    (folder / "selected_tags.csv").write_bytes(content)
    with pytest.raises(WizardError, match="list of tags cannot be read") as caught:
        load(folder)
    assert reason in caught.value.message


def test_columns_may_stand_elsewhere(tmp_path: Path) -> None:
    folder = tiny_tagger.fixed_answers(tmp_path, {"hat": (0, 0.9)})
    (folder / "selected_tags.csv").write_text("\ufeffcategory,name\r\n0,hat\r\n")
    assert said(folder) == "hat"


def test_a_list_of_another_model_is_told(tmp_path: Path) -> None:
    folder = tiny_tagger.fixed_answers(tmp_path, {"hat": (0, 0.9), "coat": (0, 0.9)})
    tiny_tagger.write_tags(folder, [("hat", 0)])
    with pytest.raises(WizardError, match="does not belong"):
        said(folder)


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\n", b"\0" * 99]
)
def test_a_damaged_model_is_told(tmp_path: Path, content: bytes) -> None:
    folder = tiny_tagger.fixed_answers(tmp_path, {"hat": (0, 0.9)})
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(WizardError, match="cannot be loaded") as caught:
        load(folder)
    assert "\n" not in caught.value.message


def test_models_of_another_kind_are_told(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save_model

    for shape, operator, problem in (
        (["N", 3, 16, 16], "Sigmoid", "version 3"),
        (["N", 1, 1, 3], "Identity", "confidences"),
    ):
        folder = tiny_tagger.fixed_answers(tmp_path / operator, {"hat": (0, 0.9)})
        tiny_tagger.write_tags(folder, [("r", 0), ("g", 0), ("b", 0)])
        graph = helper.make_graph(
            [
                helper.make_node(operator, ["x"], ["z"]),
                helper.make_node("Flatten", ["z"], ["y"]),
            ],
            "other",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        save_model(model, str(folder / "model.onnx"))
        with pytest.raises(WizardError, match=problem):
            said(folder)


def test_a_model_that_is_not_here_is_told_with_the_command(tmp_path: Path) -> None:
    cases = {
        "SmilingWolf/wd-vit-tagger-v3": "hf download SmilingWolf/wd-vit-tagger-v3 model.onnx "
        "selected_tags.csv",
        str(tmp_path): "model.onnx",
        str(tmp_path / "absent"): "a hub id such as",
        "a\0b": "again",
        "~no-such-person/there": "whole path",
    }
    for model, remedy in cases.items():
        problem = SPEC.missing(WDTaggerOptions(model=model))[-1]
        assert problem.where == "model" and problem.severity == "error"
        assert remedy in problem.remedy
    with pytest.raises(WizardError, match="cannot start"):
        load("SmilingWolf/wd-vit-tagger-v3")


def test_a_downloaded_model_is_found_in_the_hubs_cache(tmp_path: Path) -> None:
    built = tiny_tagger.fixed_answers(tmp_path / "built", {"hat": (0, 0.9)})
    repository = tmp_path / "models--me--tagger"
    snapshot = repository / "snapshots/0123"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text("0123")
    code = (
        "from lora_wizard.captioners.wd_tagger import SPEC, WDTaggerOptions\n"
        "from PIL import Image\n"
        "options = WDTaggerOptions(model='me/tagger')\n"
        "print([problem.words for problem in SPEC.missing(options)])\n"
        "if not SPEC.missing(options):\n"
        "    print(SPEC.load(options).describe([Image.new('RGB', (8, 8))]))\n"
    )

    def run() -> str:
        environment = {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
        words = [sys.executable, "-c", code]
        return subprocess.run(
            words, capture_output=True, text=True, timeout=60, env=environment, check=True
        ).stdout

    (snapshot / "model.onnx").symlink_to(built / "model.onnx")
    assert "selected_tags.csv is missing. Download the rest: hf download me/tagger" in run()
    (snapshot / "selected_tags.csv").symlink_to(built / "selected_tags.csv")
    assert run() == "[]\n['hat']\n"


def test_a_gpu_that_is_asked_for_and_not_there_is_told(model: Path) -> None:
    with pytest.raises(WizardError, match="cannot start") as caught:
        load(model, device="cuda")
    assert "onnxruntime-gpu" in caught.value.remedy


def test_without_onnxruntime_its_command_is_said(model: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(model)], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == "pip install onnxruntime\n", ran.stderr


_WITHOUT = """
import importlib.machinery, sys
real = importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name == "onnxruntime" else real(name, path, target)
importlib.machinery.PathFinder.find_spec = find_spec
from lora_wizard.captioners.wd_tagger import SPEC, WDTaggerOptions
print(*[problem.remedy for problem in SPEC.missing(WDTaggerOptions(model=sys.argv[1]))])
"""


def test_asking_what_is_missing_loads_nothing_heavy(model: Path) -> None:
    code = (
        "import sys\n"
        "from lora_wizard.captioners import registry\n"
        "spec = registry.find('wd_tagger')\n"
        "print(spec.missing(spec.options(model=sys.argv[1])))\n"
        "heavy = ['torch', 'transformers', 'onnxruntime', 'numpy', 'httpx2']\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    words = [sys.executable, "-c", code, str(model)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "[]\n[]\n", ran.stderr


def test_it_is_found_by_its_name() -> None:
    assert registry.find("wd_tagger") is SPEC
