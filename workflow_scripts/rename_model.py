"""Give a model another name, in the configs and on disk, so that nothing is trained again.

The next run makes again what shows the name: its numbers, those of its groups, tables, figures and the page. The
configs are config.yaml, all of studies/, and those that are named besides; the files those of every run.
"""

import argparse
import sys
from pathlib import Path

import yaml

from selfdoubt.runtime import renaming
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.run_lock import hold
from selfdoubt.settings.study import load_study

CONFIG, RESULTS, NOTES = Path("config.yaml"), Path("results"), Path(".snakemake")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("studies", nargs="*", type=Path, metavar="STUDY.yaml", help="further studies with the model")
    arguments = parser.parse_args()
    try:
        rename(arguments.old, arguments.new, {CONFIG, *Path("studies").glob("*.yaml"), *arguments.studies})
    except (UserError, OSError) as fault:
        sys.exit(f"rename_model: {fault}")


def rename(old: str, new: str, configs: set[Path]) -> None:
    texts = {path: path.read_text() for path in sorted(configs)}
    renaming.check([*texts.values()], old, new)
    changed = {path: renaming.in_config(text, old, new) for path, text in texts.items()}
    load_study(yaml.safe_load(changed[CONFIG]))  # the name may be none
    runs = sorted(RESULTS.glob("*/"))
    for run in runs:
        hold(NOTES / f"{run.name}.lock", was_running=False)
    n_files = sum(renaming.move(run, NOTES, old, new) for run in runs)
    print(f"{n_files} files are those of {new} now; texts of studies and hypotheses are as they were")
    for path in [path for path in changed if changed[path] != texts[path]]:
        with atomic_path(path) as temporary:
            temporary.write_text(changed[path])
        print(f"{path}: written")


if __name__ == "__main__":
    main()
