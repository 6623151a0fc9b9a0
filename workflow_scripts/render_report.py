"""Render questions, verdicts, figures and tables as one page."""

import subprocess
from pathlib import Path

from selfdoubt.report.arms import Arms
from selfdoubt.report.inputs import ReportData
from selfdoubt.report.page import render
from selfdoubt.runtime import cli, schemas
from selfdoubt.runtime.atomic_files import atomic_path

PACKAGES = ("snakemake", "torch", "torchvision", "timm", "segmentation-models-pytorch", "numpy", "pandas", "pyarrow")


def run(arguments):
    settings = arguments.metadata["settings"]
    study = {
        section: {name: entries[name] for name in settings["order"][section]} if isinstance(entries, dict) else entries
        for section, entries in settings["study"].items()
    }
    data = ReportData(
        settings=study,
        mask_quality={(p.parent.name, p.name.split(".")[0]): read(p, "mask-quality") for p in arguments.qualities},
        counts={path.parent.name: read(path, "data") for path in arguments.counts},
        figures=figures_of(arguments.figures, study, settings["upper_bounds"]["in_figures"]),
        arms=Arms(settings["labels"], frozenset(settings["upper_bounds"]["all"])),
        provenance={"commit": commit(), "versions": cli.versions(PACKAGES)},
        **{path.stem: read(path, path.stem) for path in arguments.tables},
    )
    with atomic_path(arguments.page) as temporary:
        temporary.write_text(render(data), encoding="utf-8")


def read(path: Path, schema: str):
    return schemas.read_table(path, schemas.SCHEMAS[schema]).to_pandas()


def figures_of(paths: list[Path], study: dict, upper_bounds: dict) -> dict:
    found = {}
    for path in paths:
        entry = {"settings": study["figures"][path.stem], "upper_bounds": upper_bounds[path.stem]}
        found.setdefault(path.stem, entry)[path.suffix[1:]] = path
    return found


def commit() -> str | None:
    """Return the commit of the code, marked where files differ from it; None outside a git checkout."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        capture_output=True, text=True, cwd=Path(__file__).parent, check=False,
    )  # fmt: skip
    return described.stdout.strip() or None


if __name__ == "__main__":
    files = {"tables": "all tables", "figures": "all figures", "qualities": "of masks", "counts": "of data sets"}
    cli.main(run, files | {"page": "written"}, several=("tables", "figures", "qualities", "counts"))
