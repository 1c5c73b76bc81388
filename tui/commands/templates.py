"""`lora-wizard templates`: list the templates."""

from __future__ import annotations

import argparse
import json
import sys

from ...core.templates import templates
from ...core.text import printable
from ..problems import wrapped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = "`lora-wizard new TEMPLATE` writes a TOML from one."


def run(arguments: argparse.Namespace) -> int:
    """Print name, title, summary and source of each template."""
    found = templates()
    if arguments.json:
        listed = [
            {
                "name": template.name,
                "title": template.title,
                "summary": template.summary,
                "source": template.source,
                "path": str(template.path),
            }
            for template in found
        ]
        sys.stdout.write(json.dumps(listed, indent=2) + "\n")
        return 0
    width = max(len(template.name) for template in found) + 2
    for template in found:
        said = f"{template.title}. {template.summary} ({template.source.rstrip('.')})"
        first = f"{template.name:<{width}}"
        sys.stdout.write(wrapped(printable(said), " " * width, first) + "\n")
    return 0
