"""Write down what a study claims, beside its config: snakemake register --cores 1; to be committed before the run."""

from pathlib import Path

import yaml

from selfdoubt.runtime import cli
from selfdoubt.runtime.atomic_files import atomic_path

HEAD = "# Written by `snakemake register --cores 1`, to be committed before the run; the report compares with it.\n"


def run(arguments):
    settings = arguments.metadata["settings"]
    path = Path(settings["file"])
    with atomic_path(path) as temporary:
        temporary.write_text(HEAD + yaml.safe_dump(settings["registered"], sort_keys=False, allow_unicode=True))
    print(f"{path}: written; commit it before the run")


if __name__ == "__main__":
    cli.main(run, {})
