"""A CLIP of random weights: the real classes with few channels."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny_sd import write_tokenizer
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

SIDE = 32


def build(folder: Path, *, seed: int = 0) -> Path:
    """Write it to ``folder`` with the files that a captioner asks for, and nothing else."""
    vocabulary = write_tokenizer(folder / "old")
    CLIPTokenizer.from_pretrained(folder / "old").save_pretrained(folder / "old")
    (folder / "old/tokenizer.json").rename(folder / "tokenizer.json")
    for path in (folder / "old").iterdir():
        path.unlink()
    (folder / "old").rmdir()
    tower = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "initializer_range": 1.0,
        "initializer_factor": 1.0,
    }
    text = {"vocab_size": vocabulary, "max_position_embeddings": 32, "projection_dim": 16}
    ends = {"bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1}
    picture = {"image_size": SIDE, "patch_size": 8, "projection_dim": 16}
    config = CLIPConfig(
        text_config={**tower, **text, **ends, "pad_token_id": vocabulary - 1},
        vision_config={**tower, **picture},
        projection_dim=16,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CLIPModel(config)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(0, 0.5)
            # Random pictures and texts are less alike or unlike than real ones.
            model.logit_scale.fill_(2.5)
    model.save_pretrained(folder)
    return folder
