"""Follows a run of jobs.py, as `lora-wizard train` follows one: started here, or there already."""

import sys

from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.follow import follow, start

directory = RunDirectory.open(sys.argv[1])
as_json, detach, quiet = (word in sys.argv for word in ("--json", "--detach", "--quiet"))
if "--start" in sys.argv:
    sys.exit(start(directory, module="jobs", detach=detach, as_json=as_json, quiet=quiet))
sys.exit(follow(directory, as_json=as_json))
