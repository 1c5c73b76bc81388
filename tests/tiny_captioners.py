"""Captioners' models in miniature: transformers' own classes, random weights, vocabularies of
letters. Each is a folder as the hub has it."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

CHAT_IN_PARTS = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}"
    "{{ m['content'] }}{% else %}{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""As Qwen's: a message has parts."""
CHAT_AS_TEXT = (
    "{{ bos_token }}{% for m in messages %}<|role|>{{ m['role'] }}<|role|>"
    "{% if m['role'] == 'user' %}<image>{% endif %}{{ m['content'] | trim }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|role|>assistant<|role|>{% endif %}"
)
"""As JoyCaption's: a message is text, and the picture's place comes from the template."""
_QWEN_SPECIAL = [
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
_LETTERS = ["\u0120", "\u010a", *map(chr, range(33, 127))]
"""Printable ASCII, with the byte-level names of the space and the line break first."""
_GAIN = 6
_SMALL = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
_VISION = {**_SMALL, "num_attention_heads": 2, "image_size": 32, "patch_size": 16}


_HF: Any = transformers
"""Its classes' signatures are of many optional fields that no dictionary fits, for a checker."""


def build_blip(folder: Path) -> Path:
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "picture", "of", "photo"]
    letters = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase)]
    vocabulary = {word: index for index, word in enumerate([*words, *letters])}
    text = {
        **_SMALL,
        # The mark that a text begins with is unknown to the tokenizer, as in the published ones.
        "vocab_size": len(vocabulary) + 2,
        "encoder_hidden_size": 16,
        "num_attention_heads": 2,
        "max_position_embeddings": 128,
        "bos_token_id": len(vocabulary),
        "eos_token_id": 2,
        "sep_token_id": 3,
        "pad_token_id": 0,
    }
    config = _HF.BlipConfig(text_config=text, vision_config=_VISION, projection_dim=8)
    tokenizer = _HF.BertTokenizer(vocab=vocabulary)
    images = BlipImageProcessorPil(size={"height": 32, "width": 32})
    return _saved(folder, _HF.BlipForConditionalGeneration, config, tokenizer, images)


def build_blip2(folder: Path, *, answers: bool = False) -> Path:
    """``answers``: with a T5, which reads the prompt in an encoder, instead of an OPT."""
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    tokenizer = _letters(["<pad>", "</s>", "<image>"], begin="" if answers else "</s>")
    size = len(tokenizer)
    common = {"vocab_size": size, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 1}
    if answers:
        text = _HF.T5Config(**common, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    else:
        text = _HF.OPTConfig(
            **common,
            hidden_size=16,
            word_embed_proj_dim=16,
            ffn_dim=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=512,
        )
    config = _HF.Blip2Config(
        text_config=text.to_dict(),
        vision_config=_VISION,
        qformer_config={
            **_SMALL,
            "num_attention_heads": 2,
            "encoder_hidden_size": 16,
            "vocab_size": size,
        },
        num_query_tokens=4,
        image_token_index=2,
    )
    images = BlipImageProcessorPil(size={"height": 32, "width": 32})
    return _saved(folder, _HF.Blip2ForConditionalGeneration, config, tokenizer, images)


def build_florence2(folder: Path) -> Path:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = _letters(["<pad>", "<s>", "</s>", "<image>", "<loc_1>"])
    config = _HF.Florence2Config(
        text_config={
            "model_type": "bart",
            "vocab_size": len(tokenizer),
            "d_model": 16,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 16,
            "decoder_ffn_dim": 16,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 2,
            "forced_eos_token_id": 2,
            "max_position_embeddings": 512,
        },
        vision_config={
            "embed_dim": [8, 8, 8, 16],
            "num_heads": [1, 1, 1, 2],
            "num_groups": [1, 1, 1, 2],
            "depths": [1, 1, 1, 1],
            "window_size": 2,
            "projection_dim": 16,
        },
        image_token_id=3,
    )
    images: Any = CLIPImageProcessorPil(
        size={"height": 64, "width": 64}, do_center_crop=False, default_to_square=True
    )
    # 2 x 2 places of the smallest map and their mean.
    images.image_seq_length = 5
    return _saved(folder, _HF.Florence2ForConditionalGeneration, config, tokenizer, images)


def build_qwen(folder: Path, version: str = "3") -> Path:
    """``version``: "2.5" or "3"."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    tokenizer = _HF.Qwen2Tokenizer(
        vocab={letter: index for index, letter in enumerate(_LETTERS)},
        merges=[],
        additional_special_tokens=_QWEN_SPECIAL,
    )
    ids = {word: tokenizer.convert_tokens_to_ids(word) for word in _QWEN_SPECIAL}
    text = {
        **_llama(len(tokenizer)),
        "bos_token_id": None,
        "eos_token_id": ids["<|im_end|>"],
        "rope_parameters": {
            "rope_type": "default",
            "mrope_section": [2, 1, 1],
            "rope_theta": 10000.0,
        },
    }
    vision: dict[str, Any] = {
        "depth": 2,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "patch_size": 4,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": 16,
    }
    places = {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }
    if version == "3":
        vision |= {"num_position_embeddings": 16, "deepstack_visual_indexes": [0]}
        kind, config_class = (
            _HF.Qwen3VLForConditionalGeneration,
            _HF.Qwen3VLConfig,
        )
    else:
        vision |= {"window_size": 16, "fullatt_block_indexes": [1]}
        kind = _HF.Qwen2_5_VLForConditionalGeneration
        config_class = _HF.Qwen2_5_VLConfig
    config = config_class(text_config=text, vision_config=vision, **places)
    images = Qwen2VLImageProcessorPil(
        patch_size=4, merge_size=2, size={"shortest_edge": 64, "longest_edge": 16384}
    )
    return _saved(folder, kind, config, tokenizer, images, CHAT_IN_PARTS)


def build_llava(folder: Path) -> Path:
    """As JoyCaption is made: SigLIP and Llama, a template for messages that are text."""
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = _letters(
        ["<unk>", "<|begin|>", "<|end|>", "<image>", "<|role|>"], begin="<|begin|>", pad=""
    )
    config = _HF.LlavaConfig(
        text_config={"model_type": "llama", **_llama(len(tokenizer))},
        vision_config={"model_type": "siglip_vision_model", **_VISION},
        image_token_index=3,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=4,
    )
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    processor = _HF.LlavaProcessor(
        images, tokenizer, patch_size=16, vision_feature_select_strategy="full"
    )
    processor.save_pretrained(folder)
    kind = _HF.LlavaForConditionalGeneration
    return _saved(folder, kind, config, tokenizer, images, CHAT_AS_TEXT)


def _llama(size: int) -> dict[str, Any]:
    return {
        **_SMALL,
        "vocab_size": size,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "max_position_embeddings": 4096,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def _letters(special: list[str], *, begin: str = "", pad: str = "<pad>") -> Any:
    """A tokenizer whose tokens are ``special`` and the bytes; ``begin`` is put before a text."""
    vocabulary = {word: index for index, word in enumerate([*special, *_LETTERS])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, vocabulary[begin])]
        )
    extra = {"image_token": "<image>"} if "<image>" in special else {}
    made = _HF.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=special[1],
        eos_token=special[1] if len(special) == 3 else special[2],
        pad_token=pad or None,
        extra_special_tokens=extra,
    )
    made.add_special_tokens({"additional_special_tokens": special})
    return made


def _saved(
    folder: Path, kind: Any, config: Any, tokenizer: Any, images: Any, template: str = ""
) -> Path:
    torch.manual_seed(1)
    model = kind(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                # The usual beginnings are so small that every picture would get the same caption.
                weight.normal_(0, _GAIN / weight[0].numel() ** 0.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    images.save_pretrained(folder)
    if template:
        (folder / "chat_template.jinja").write_text(template)
    return folder
