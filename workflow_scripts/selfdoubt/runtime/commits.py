"""When a file was committed."""

import subprocess
from pathlib import Path


def committed(path: Path) -> str | None:
    """Return "COMMIT of DATE", the last that changed a file; None where it is not committed as it is.

    COMMIT has twelve digits: how far Git abbreviates by itself differs from one clone to another.
    """
    git = ["git", "-C", str(path.parent)]
    options = {"capture_output": True, "text": True, "check": False}
    logged = subprocess.run(
        [*git, "log", "-1", "--abbrev=12", "--format=%h of %cs", "--", path.name], **options
    ).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "--", path.name], **options).stdout.strip()
    return logged if logged and not changed else None
