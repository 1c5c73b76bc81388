"""How a vision-language model is asked: its own template around a prompt with a picture."""

from __future__ import annotations

from typing import Any

from .transformers_model import ModelLoadingError

_PROBE = "WHAT-IS-SHOWN"


def conversation(processor: Any, system: str, prompt: str) -> str:
    """The text that asks for an answer to ``prompt`` about one picture, the picture's place in it.

    Templates want a message in parts (Qwen, LLaVA) or as text, to which they add the picture's
    place themselves (JoyCaption); which of them is found by trying.

    Raises ModelLoadingError when the model has no template, or one without a picture.
    """
    places = [getattr(processor, name, None) for name in ("image_token", "boi_token")]
    for in_parts in (True, False):
        probe = _rendered(processor, system, _PROBE, in_parts)
        if any(place and probe.count(place) == 1 for place in places) and _is_plain(probe):
            return _rendered(processor, system, prompt, in_parts)
    raise ModelLoadingError(
        "This model holds no conversation about a picture",
        "its chat template has no place for one picture and a prompt",
        "Take one that was trained to follow instructions: its name often ends in Instruct.",
    )


def _rendered(processor: Any, system: str, prompt: str, in_parts: bool) -> str:
    """ "" when the template cannot do it."""
    picture = [{"type": "image"}] if in_parts else []
    messages = [_message("user", prompt, in_parts, picture)]
    if system:
        messages.insert(0, _message("system", system, in_parts, []))
    try:
        # Models that can think first are asked not to; others do not know the word.
        return processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, enable_thinking=False
        )
    except Exception:
        # A template is a program, and fails as programs do.
        return ""


def _message(
    role: str, text: str, in_parts: bool, before: list[dict[str, str]]
) -> dict[str, object]:
    content = [*before, {"type": "text", "text": text}] if in_parts else text
    return {"role": role, "content": content}


def _is_plain(rendered: str) -> bool:
    """Whether the prompt stands in it as text, not as Python's notation of the message."""
    return _PROBE in rendered and "'type'" not in rendered
