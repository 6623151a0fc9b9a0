"""Loaded by every Python of the test, since it is on PYTHONPATH: notes what each script of the pipeline was given.

When it starts, the devices that Slurm gives its job; when it ends, those that it made its own. One that is killed
leaves the first note alone.
"""

import atexit
import json
import os
import re
import subprocess
import sys
from pathlib import Path


def note_start() -> None:
    job = os.environ.get("SLURM_JOB_ID", "")
    shown = subprocess.run(["scontrol", "show", "job", "--details", job], capture_output=True, text=True, check=True)
    given = re.findall(r"gpu:\d+\(IDX:([\d,-]+)\)", shown.stdout)
    write({"script": Path(sys.orig_argv[1]).stem, "job": job, "given": ",".join(given)})


def note_end() -> None:
    write(json.loads(path().read_text()) | {"devices": os.environ.get("CUDA_VISIBLE_DEVICES", "")})


def write(facts: dict) -> None:
    path().write_text(json.dumps(facts))


def path() -> Path:
    return Path(os.environ["RECORDS"]) / f"{os.getpid()}-{os.environ.get('SLURM_JOB_ID')}.json"


if any("workflow_scripts/" in argument for argument in sys.orig_argv[1:2]):
    note_start()
    # as the names of devices that CUDA need not know: those of the test are none
    os.environ["SELFDOUBT_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    atexit.register(note_end)
