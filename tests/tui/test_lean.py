"""asyncio without OpenSSL, and OpenSSL for whoever asks for it."""

import subprocess
import sys

CODE = """
import sys
from lora_wizard.tui.lean import import_asyncio
import_asyncio()
import asyncio
assert "ssl" not in sys.modules and "_ssl" not in sys.modules
assert asyncio.run(asyncio.sleep(0, "ran")) == "ran"
import ssl, urllib.request
assert ssl.create_default_context().check_hostname
assert urllib.request.HTTPSHandler
import_asyncio()
assert sys.modules["ssl"] is ssl
"""


def test_it_is_left_out_and_can_be_had() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
