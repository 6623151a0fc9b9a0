"""Write down what a study claims, beside its config: snakemake register --cores 1; to be committed before the run."""

import json
from pathlib import Path

from selfdoubt.runtime import cli
from selfdoubt.runtime.atomic_files import atomic_path


def run(arguments):
    settings = arguments.metadata["settings"]
    path = Path(settings["file"])
    with atomic_path(path) as temporary:
        temporary.write_text(f"{json.dumps(settings['registered'], indent=1, ensure_ascii=False)}\n")
    print(f"{path}: written; commit it before the run")


if __name__ == "__main__":
    cli.main(run, {})
