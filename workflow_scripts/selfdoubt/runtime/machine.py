"""What a machine is, for the record of a run: nothing that names it."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path


def machine() -> dict[str, str | int]:
    """Return processor, threads, memory (GB), system and Python; what cannot be found out is left out."""
    found = {"processor": _processor(), "threads": os.cpu_count(), "memory_gb": _memory_gb()}
    found |= {"system": f"{os.uname().sysname} {os.uname().machine}", "python": platform.python_version()}
    return {key: value for key, value in found.items() if value}


def _processor() -> str:
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        named = None
    if named:
        return named[1].strip()
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor()


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    except (ValueError, OSError):
        return None
