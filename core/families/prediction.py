"""What a base of the Stable Diffusion line predicts and where its noise ends: as its files say, or
as the options overrule them. Free of torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import Mend, Problem, ProblemsError
from ..weights.base_model import BaseModel, BaseModelError

if TYPE_CHECKING:
    from ..config import ModelOptions, RunConfig
    from ..weights.header import Header

PREDICTIONS = {"epsilon": "epsilon", "v_prediction": "v"}
"""Diffusers' words for what is predicted, and ours."""
_DIFFUSERS_WORDS = {ours: theirs for theirs, ours in PREDICTIONS.items()}
_V_IN_A_NAME = re.compile(r"v[-_ ]?pred", re.IGNORECASE)


def scheduler_config(base: BaseModel, options: ModelOptions) -> dict[str, Any]:
    """The base's scheduler configuration with what ``options`` say instead: what training and
    drawing both obey.

    Raises BaseModelError when the base predicts something that is not trained, ProblemsError when
    the options contradict it.
    """
    config = base.config("scheduler", "scheduler_config.json")
    if options.prediction != "auto":
        config["prediction_type"] = _DIFFUSERS_WORDS[options.prediction]
    said = config.setdefault("prediction_type", "epsilon")
    if said not in PREDICTIONS:
        raise BaseModelError(
            "The base model predicts something unknown",
            f"{base.folder}: prediction_type {said}",
            "Bases that predict epsilon or v_prediction are trained.",
        )
    if options.zero_terminal_snr and PREDICTIONS[said] == "epsilon":
        raise ProblemsError("The options do not fit the base model", [_nothing_to_start_from()])
    if options.zero_terminal_snr or config.get("rescale_betas_zero_snr"):
        # Only trailing steps visit the last timestep, the one that was made pure noise.
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return config


def marks(header: Header) -> dict[str, Any]:
    """What a single file says of its noise, as part of a scheduler configuration: by the empty
    tensors ``v_pred`` and ``ztsnr`` that other tools look for, or in its metadata."""
    names, told = header.tensors, header.metadata
    is_v = (
        "v_pred" in names
        or told.get("modelspec.prediction_type", "").lower().startswith("v")
        or told.get("ss_v_parameterization", "").lower() == "true"
    )
    ends = "ztsnr" in names or told.get("ss_zero_terminal_snr", "").lower() == "true"
    return {
        "prediction_type": "v_prediction" if is_v else "epsilon",
        **({"rescale_betas_zero_snr": True} if ends else {}),
    }


def problems(base: BaseModel, config: RunConfig) -> Iterator[Problem]:
    """What in ``config`` does not fit what the base predicts."""
    said = base.config("scheduler", "scheduler_config.json").get("prediction_type", "epsilon")
    told = config.model.prediction
    try:
        settled = scheduler_config(base, config.model)
    except ProblemsError as error:
        yield from error.problems
        return
    prediction = PREDICTIONS[settled["prediction_type"]]
    if told != "auto" and PREDICTIONS.get(said) != told:
        # A single file that says nothing counts as epsilon; to say v of it is what this is for.
        if not (base.folder.is_file() and told == "v"):
            yield Problem(
                f'is "{told}", but the base says that it predicts {said}',
                where="model.prediction",
                remedy='Usually the base is right: write "auto".',
                severity="warning",
                mends=(Mend("As the base says", {"model.prediction": "auto"}),),
            )
    elif told == "auto" and prediction == "epsilon" and _V_IN_A_NAME.search(base.folder.name):
        yield Problem(
            f"{base.folder.name} sounds as if it predicted v, but nothing in it says so",
            where="model.prediction",
            remedy='If its author calls it a v-prediction model: prediction = "v". Trained as the '
            "wrong one, it learns noise.",
            severity="warning",
            mends=(Mend("Train it as v", {"model.prediction": "v"}),),
        )
    if settled.get("rescale_betas_zero_snr") and prediction == "epsilon":
        yield Problem(
            "the base ends in pure noise, but predicts epsilon: there it has nothing to learn",
            where="model.prediction",
            remedy='If its author calls it a v-prediction model: prediction = "v".',
            severity="warning",
        )
    yield from _of_the_loss(prediction, settled, config)


def _of_the_loss(
    prediction: str, settled: Mapping[str, Any], config: RunConfig
) -> Iterator[Problem]:
    loss = config.loss
    for name, value, meant in (
        ("scale_v_like_epsilon", loss.scale_v_like_epsilon, "v"),
        ("v_like_loss", loss.v_like_loss, "epsilon"),
    ):
        if value and prediction != meant:
            yield Problem(
                f"is for bases that predict {meant}; this one predicts {prediction}",
                where=f"loss.{name}",
                remedy="Leave it out.",
            )
    if settled.get("rescale_betas_zero_snr") and loss.min_snr_gamma and prediction == "v":
        yield Problem(
            "gives the last timestep, pure noise, no weight at all, and those before it little",
            where="loss.min_snr_gamma",
            remedy="Without it the base's darkest and brightest pictures are learned better.",
            severity="note",
        )


def _nothing_to_start_from() -> Problem:
    return Problem(
        "makes the last timestep pure noise, from which epsilon cannot lead back to a picture",
        where="model.zero_terminal_snr",
        remedy='Leave it out, or, if the base was trained with v: prediction = "v".',
    )
