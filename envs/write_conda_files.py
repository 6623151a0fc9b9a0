"""Write envs/*.yaml, the conda environments that rules name, from the versions in the lock.

models.yaml holds all that pyproject.toml asks for; tables.yaml what the rules need that never import torch.
Packages come from PyPI through pip, so that both ways of installing give the same files.
"""

import re
import tomllib
from pathlib import Path

ENVS = Path(__file__).resolve().parent
NOT_FOR_TABLES = {"torch", "torchvision", "timm", "segmentation-models-pytorch", "scikit-learn", "snakemake", "rich"}
NOT_FOR_RULES = {"snakemake", "rich"}  # used from outside of jobs
PYTHON = "3.11"


def locked_versions() -> dict[str, str]:
    """Return the version of each package in the lock; the one for PYTHON where it depends on it."""
    lock = (ENVS / "requirements.lock").read_text()
    return dict(reversed(re.findall(r"^([a-z0-9-]+)==([^\s\\;]+)", lock, re.MULTILINE)))


def conda_files() -> dict[str, str]:
    """Return the text of each conda file by its name."""
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    wanted = [requirement.partition("==")[0] for requirement in project["dependencies"]]
    versions = locked_versions()
    files = {"models.yaml": NOT_FOR_RULES, "tables.yaml": NOT_FOR_TABLES}
    return {name: _text(wanted, versions, left_out) for name, left_out in files.items()}


def _text(wanted: list[str], versions: dict[str, str], left_out: set[str]) -> str:
    lines = [f"      - {name}=={versions[name]}" for name in wanted if name not in left_out]
    head = ["# Written by envs/write_conda_files.py from the lock: run `make lock`, do not edit."]
    head += ["channels:", "  - conda-forge", "dependencies:", f"  - python={PYTHON}", "  - pip", "  - pip:"]
    return "\n".join(head + lines) + "\n"


if __name__ == "__main__":
    for name, text in conda_files().items():
        (ENVS / name).write_text(text)
