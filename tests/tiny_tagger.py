"""WD taggers in miniature: real ONNX files whose answers can be worked out by hand.

The mean of each colour over the whole picture, times a matrix, plus a bias, through a sigmoid.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model

RATINGS = [("general", 9), ("sensitive", 9), ("questionable", 9), ("explicit", 9)]
SIDE = 16


def build(
    folder: Path,
    tags: Sequence[tuple[str, int]],
    weights: np.ndarray,
    bias: np.ndarray,
    *,
    batch: int | str = "batch_size",
    side: int | str = SIDE,
    pooling: str = "ReduceMean",
    greedy: bool = False,
) -> Path:
    """Write model.onnx and selected_tags.csv to ``folder``. ``weights`` (3, tags), in the order
    blue, green, red; ``bias`` (tags,). ``pooling``: ReduceMean or ReduceSum. ``greedy``: more than
    one picture needs 2**48 bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    constants = {
        "weights": weights.astype(np.float32),
        "bias": bias.astype(np.float32),
        "axes": np.array([1, 2]),
    }
    nodes = [
        helper.make_node(pooling, ["some_input", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["confidences"]),
    ]
    if greedy:
        constants["first"] = np.array([0])
        constants["base"] = np.array([2.0**23], dtype=np.float64)
        nodes[:0] = [
            helper.make_node("Shape", ["some_input"], ["shape"]),
            helper.make_node("Gather", ["shape", "first"], ["count"]),
            helper.make_node("Cast", ["count"], ["power"], to=TensorProto.DOUBLE),
            helper.make_node("Pow", ["base", "power"], ["size"]),
            helper.make_node("Cast", ["size"], ["whole"], to=TensorProto.INT64),
            helper.make_node("ConstantOfShape", ["whole"], ["zeros"]),
            helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
        ]
        nodes[-2] = helper.make_node("Add", ["products", "shifted"], ["logits"])
        nodes.insert(-2, helper.make_node("Add", ["bias", "zero"], ["shifted"]))
    graph = helper.make_graph(
        nodes,
        "tagger",
        [helper.make_tensor_value_info("some_input", TensorProto.FLOAT, [batch, side, side, 3])],
        [helper.make_tensor_value_info("confidences", TensorProto.FLOAT, [batch, len(bias)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    save_model(model, str(folder / "model.onnx"))
    write_tags(folder, tags)
    return folder


def write_tags(folder: Path, tags: Sequence[tuple[str, int]]) -> None:
    lines = [f'{n},"{name}",{category},{100 - n}' for n, (name, category) in enumerate(tags)]
    text = "\n".join(["tag_id,name,category,count", *lines, ""])
    (folder / "selected_tags.csv").write_text(text)


def fixed_answers(folder: Path, tags: dict[str, tuple[int, float]]) -> Path:
    """A tagger that answers the same for every picture: name -> (category, confidence)."""
    confidences = np.array([confidence for _, confidence in tags.values()])
    logits = np.log(confidences / (1 - confidences))
    names = [(name, category) for name, (category, _) in tags.items()]
    return build(folder, names, np.zeros((3, len(names))), logits)
