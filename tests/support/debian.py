"""Packages of Debian that tests need, installed where they are missing."""

import os
import shutil
import subprocess
from pathlib import Path

_SECONDS_FOR_APT = 300


def is_debian() -> bool:
    """Return whether packages can be installed by apt."""
    return shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def install(packages: tuple[str, ...], programs: tuple[str, ...]) -> None:
    """Install packages unless all programs are there; raises RuntimeError with apt's own words."""
    if all(map(shutil.which, programs)):
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for options in (["update"], ["install", "--download-only", *packages], ["install", *packages]):
        line = ["apt-get", "--quiet", "--yes", "--no-install-recommends", *options]
        run = subprocess.run(
            line, env=environment, capture_output=True, text=True, timeout=_SECONDS_FOR_APT, check=False
        )
        if run.returncode:
            raise RuntimeError(f"{' '.join(line)}: {run.stderr[-2000:]}")
