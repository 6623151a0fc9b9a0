"""Write down what a study claims, beside its config: snakemake register --cores 1; to be committed before the run."""

import json
from pathlib import Path

from selfdoubt.runtime import cli
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.commits import committed
from selfdoubt.settings.registered import read_registration
from selfdoubt.settings.rounds import earlier_rounds


def run(arguments):
    settings = arguments.metadata["settings"]
    path, registered = Path(settings["file"]), settings["registered"]
    metrics = Path(settings["metrics"])
    former = read_registration(path) if path.exists() else None
    n_evaluated = evaluated_before(metrics, former) if former else 0
    earlier = earlier_rounds(registered, former, committed(path), n_evaluated, path)
    before = evaluated_before(metrics, registered)
    written = registered | {"evaluated_before": before} | ({"earlier": earlier} if earlier else {})
    with atomic_path(path) as temporary:
        temporary.write_text(f"{json.dumps(written, indent=1, ensure_ascii=False)}\n")
    known = f"; {before} metric tables of these arms and replicates were there already, as it records" if before else ""
    print(f"{path}: written; commit it before the run{known}")


def evaluated_before(metrics: Path, registered: dict) -> int:
    """Return the number of metric tables of what is registered that this checkout already has."""
    arms = {name for section in ("models", "groups") for name in registered.get(section, {})}
    replicates = {f"replicate-{number}" for number in registered.get("replicates", [])}
    tables = (path.relative_to(metrics).parts for path in metrics.rglob("*.parquet"))
    return sum(name in arms and replicate in replicates for _, name, replicate, *_ in tables)


if __name__ == "__main__":
    cli.main(run, {})
