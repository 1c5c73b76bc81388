"""Captioners ask nothing of the network, also where nobody has told the hub's client to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import tiny_clip
from captioner_models import NAMES, spec_of, tiny

CODE = """
import json, sys
asked = []

def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        asked.append([event, repr(arguments)])

sys.addaudithook(hook)
from lora_wizard.captioners import registry
from PIL import Image
for name, model in json.loads(sys.argv[1]):
    spec = registry.find(name)
    lengths = {key: 5 for key in ("max_length",) if key in spec.options.model_fields}
    lengths |= {key: 0 for key in ("min_length",) if key in spec.options.model_fields}
    options = spec.options.model_validate({"model": model, "device": "cpu", **lengths})
    spec.load(options).describe([Image.new("RGB", (40, 40), "red")])
print(json.dumps(asked))
"""


def test_nothing_is_asked_of_the_network(tmp_path: Path) -> None:
    models = [(spec_of(name).name, str(tiny(name))) for name in NAMES]
    models.append(("clip_interrogator", str(tiny_clip.build(tmp_path / "clip"))))
    environment = {key: value for key, value in os.environ.items() if "OFFLINE" not in key}
    ran = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(models)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == []
