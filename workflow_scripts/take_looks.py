"""Run a sequential study from look to look: take_looks.py STUDY.yaml [option of snakemake …]

Runs snakemake on the config, reads the verdicts, and writes into results/RUN/looks.yaml how far each study may go: to
its next look where its primary claim is inconclusive. Ends when all are decided, or at the last look. Interrupted, it
goes on where it was; `snakemake --configfile STUDY.yaml results/RUN/looks.yaml` makes the same results and page again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import yaml
from snakemake.utils import update_config

from selfdoubt.runtime import table_files, texts
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.settings.looks import n_replicates, next_looks
from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import Study, load_study

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, metavar="STUDY.yaml", help="with replicates: { from: N, looks: [10, …] }")
    parser.add_argument("--config", "-C", nargs="*", default=[], metavar="KEY=VALUE", help="as of snakemake")
    arguments, options = parser.parse_known_args()
    try:
        take_looks(arguments.study, arguments.config, options)
    except UserError as fault:
        sys.exit(f"take_looks: {fault}")
    except KeyboardInterrupt:
        sys.exit("take_looks: interrupted; call it again to go on")


def take_looks(path: Path, values: list[str], options: list[str]) -> None:
    """Run look after look; raises UserError for a config without looks.

    values: KEY=VALUE, which the config has besides. options: of snakemake.
    """
    for option in ("--configfile", "--configfiles", "--directory", "-d"):
        if any(word == option or word.startswith(f"{option}=") for word in options):
            raise UserError(
                f"{option}: the study is given as STUDY.yaml, and is read where this is called; leave it out"
            )
    study = load(path, values=values)
    if not study.looks:
        raise UserError(f"{path}: replicates: has no looks; write replicates: {{ from: 11, looks: [10, 20, 30] }}")
    overlay = Path("results", study.run, "looks.yaml")
    belongs = f"# of {registration(study)['digest']}: written by take_looks.py\n"
    check_overlay(overlay, belongs, path)
    while True:
        given = [path, overlay] if overlay.exists() else [path]
        study = load(*given, values=values)
        command = ["snakemake", "--cores", "all", "--configfile", *map(str, given)]
        command += [*(["--config", *values] if values else []), *options]
        if subprocess.run(command, check=False).returncode:
            raise UserError("the run failed; correct what its last lines report, and call this again")
        table = table_files.read_table(Path("results", study.run, "tables/hypotheses.parquet"), HYPOTHESES_SCHEMA)
        rows = [row for row in table.to_pylist() if row["role"] == "primary"]
        for row in rows:
            print(
                f"{row['study']}, {n_replicates(study, row['study'])} replicates: {row['hypothesis']} {row['verdict']}"
            )
        further = next_looks(study, {row["study"] for row in rows if row["verdict"] == "inconclusive"})
        if further == study.look:
            for name in sorted(study.studies.keys() - {row["study"] for row in rows}):
                print(f"{name}: it has no primary claim, and stops at its first look", file=sys.stderr)
            return
        with atomic_path(overlay) as temporary:
            temporary.write_text(belongs + yaml.safe_dump({"look": further}))


def check_overlay(overlay: Path, belongs: str, path: Path) -> None:
    """Raise UserError if there is a file of looks that is of other claims, arms or replicates, or is none.

    belongs: its first line, with the digest of what a registration of the study would hold.
    """
    if not overlay.exists():
        return
    again = "delete it, and the study begins at its first look; no model is trained again"
    try:
        text = overlay.read_text()
        found = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict) or [*found] != ["look"] or not isinstance(found["look"], dict):
        raise UserError(f"{overlay}: is no file of looks; {again}")
    if text.partition("\n")[0] != belongs.strip():
        raise UserError(f"{overlay}: is of other claims, arms or replicates than {path} has now; {again}")


def load(*paths: Path, values: list[str] = ()) -> Study:
    """Return the study as Snakemake would read it, of files and of KEY=VALUE after them."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for path in paths:
        update_config(config, read_config(path))
    if values:
        update_config(config, values_of(values))
    return load_study(config)


def values_of(texts_of_values: list[str]) -> dict:
    """Return what KEY=VALUE sets, as Snakemake reads it; raises UserError, of one line."""
    from snakemake.cli import parse_config  # which takes a second to import

    try:
        return parse_config(texts_of_values)
    except ValueError as fault:
        raise UserError(f"--config: {fault}") from None


def read_config(path: Path) -> dict:
    """Return what a file of a study sets; raises UserError, of one line, where it cannot be read or sets nothing."""
    try:
        config = yaml.safe_load(texts.decode(path.read_bytes(), path))
    except OSError as fault:
        raise UserError(f"{path}: {fault.strerror}") from fault
    except yaml.YAMLError as fault:
        raise UserError(f"{path}: is no YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(config, dict):
        raise UserError(f"{path}: is no config; write keys and values")
    return config


if __name__ == "__main__":
    main()
