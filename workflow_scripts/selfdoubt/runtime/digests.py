"""Canonical JSON and digests, by which jobs and rules identify the settings and inputs of a result."""

import hashlib
import json
from pathlib import Path


def canonical(settings) -> str:
    """Return settings as JSON with one form for one meaning: keys sorted, no spaces."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(facts: dict, files: list[Path]) -> str:
    """Return 16 hex digits of facts (JSON-able) and of the content of files."""
    contents = []
    for path in files:
        with path.open("rb") as file:
            contents.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256(canonical([facts, contents]).encode()).hexdigest()[:16]
