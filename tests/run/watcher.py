"""Follows a run of jobs.py, as `lora-wizard train` follows one: started here, or there already."""

import sys

from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.follow import follow, start

directory = RunDirectory.open(sys.argv[1])
options = {"as_json": "--json" in sys.argv}
if "--start" in sys.argv:
    sys.exit(start(directory, module="jobs", detach="--detach" in sys.argv, **options))
sys.exit(follow(directory, **options))
