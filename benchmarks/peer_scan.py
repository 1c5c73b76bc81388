"""How long sd-scripts takes from a folder to its buckets and captions.

    PYTHON peer_scan.py CHECKOUT FOLDER [--runs 3]

Run by `scan.py` with the interpreter that has sd-scripts' requirements. CPU-seconds of each run, as
JSON, after one that warms up.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    # It reads a file of its own by a relative path.
    os.chdir(arguments.checkout)
    sys.path.insert(0, str(arguments.checkout))
    scan = scanner(arguments.folder)
    scan()
    sys.stdout.write(json.dumps([timed(scan) for _ in range(arguments.runs)]) + "\n")


def scanner(folder: Path) -> Any:
    """What reads ``folder`` once, as train_network.py does it for 512 px with buckets."""
    from library import config_util, train_util  # pyright: ignore[reportMissingImports]

    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    train_util.add_dataset_arguments(parser, True, True, True)
    train_util.add_training_arguments(parser, True)
    train_util.add_sd_models_arguments(parser)
    told = parser.parse_args(["--enable_bucket", "--caption_extension=.txt"])
    told.resolution = (512, 512)
    subset = {"image_dir": str(folder), "num_repeats": 1, "caption_extension": ".txt"}
    sanitizer = config_util.ConfigSanitizer(True, True, False, True)
    generator = config_util.BlueprintGenerator(sanitizer)

    def scan() -> None:
        blueprint = generator.generate({"datasets": [{"subsets": [subset]}]}, told)
        config_util.generate_dataset_group_by_blueprint(blueprint.dataset_group)

    return scan


def timed(work: Any) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
