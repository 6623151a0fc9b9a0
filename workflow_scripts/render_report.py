"""Render questions, verdicts, figures and tables as one page, and record beside it how they were made."""

import gc
import subprocess
from pathlib import Path

import pandas as pd

from selfdoubt.report.arms import Arms
from selfdoubt.report.crate import record
from selfdoubt.report.inputs import Library, Registration, ReportData
from selfdoubt.report.page import render
from selfdoubt.report.provenance import as_yaml, shortened
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.commits import committed
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.costs import COSTS_SCHEMA
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA
from selfdoubt.runtime.schemas.data import DATA_SCHEMA
from selfdoubt.runtime.schemas.enhancements import ENHANCEMENTS_SCHEMA
from selfdoubt.runtime.schemas.fidelity import FIDELITY_SCHEMA
from selfdoubt.runtime.schemas.gaps import GAPS_SCHEMA
from selfdoubt.runtime.schemas.groups import GROUPS_SCHEMA
from selfdoubt.runtime.schemas.guarantees import GUARANTEES_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA
from selfdoubt.runtime.schemas.pictures import PICTURES_SCHEMA
from selfdoubt.settings.registered import differences, read_registration
from selfdoubt.settings.rounds import rounds_of

TABLES = {
    "comparisons": COMPARISONS_SCHEMA,
    "costs": COSTS_SCHEMA,
    "enhancements": ENHANCEMENTS_SCHEMA,
    "fidelity": FIDELITY_SCHEMA,
    "gaps": GAPS_SCHEMA,
    "groups": GROUPS_SCHEMA,
    "guarantees": GUARANTEES_SCHEMA,
    "hypotheses": HYPOTHESES_SCHEMA,
    "metrics": METRICS_SCHEMA,
}
LIBRARY = Path(__file__).resolve().parent.parent / "resources" / "datatables"
SNAKEFILE = Path(__file__).resolve().parent.parent / "Snakefile"
PACKAGES = ("snakemake", "torch", "torchvision", "timm", "segmentation-models-pytorch", "numpy", "pandas", "pyarrow")


def run(arguments):
    settings = arguments.metadata["settings"]
    study = {
        section: {name: entries[name] for name in settings["order"][section]} if isinstance(entries, dict) else entries
        for section, entries in settings["study"].items()
    }
    study = shortened(study)
    registered = [registration_of(path, settings["registration"]) for path in arguments.registration]
    data = ReportData(
        settings=study,
        mask_quality=qualities_of(arguments.qualities),
        counts={path.parent.name: read(path, COUNTS_SCHEMA) for path in arguments.counts},
        figures=figures_of(arguments.figures, study, settings["upper_bounds"]["in_figures"]),
        arms=Arms(settings["labels"], frozenset(settings["upper_bounds"]["all"])),
        information=tables_of(arguments.information, INFORMATION_SCHEMA),
        pictures={(path.parent.name, path.stem): read(path, PICTURES_SCHEMA) for path in arguments.pictures},
        left_out=settings["left_out"],
        library=library(),
        registration=next(iter(registered), None),
        provenance=provenance_of(arguments.tables, settings),
        **{path.stem: read(path, TABLES[path.stem]) for path in arguments.tables if path.stem in TABLES},
    )
    write(arguments.page, render(data))
    labels = {arm: label for arm, label in settings["labels"].items() if label != arm}
    write(arguments.config, as_yaml(study | {"labels": labels}))
    write(arguments.workflow, SNAKEFILE.read_text())
    files = {name: getattr(arguments, name) for name in ("workflow", "config", "page")}
    files |= {path.stem: path for path in arguments.tables}
    files |= {f"information-{path.stem}": path for path in arguments.information}
    files |= {f"figure-{path.stem}-{path.suffix[1:]}": path for path in arguments.figures}
    title = f"selfdoubt: {study['run']}"
    write(arguments.record, record(arguments.record.parent, files, title, data.provenance, data.costs))


def provenance_of(tables: list[Path], settings: dict) -> dict:
    """Return the provenance of a report; machine and times are what collect_costs has found."""
    paths = {path.stem: path for path in tables}
    known = table_files.read_metadata(paths["costs"])
    kept = {key: known[key] for key in ("machine", "devices", "began", "ended") if key in known}
    kept |= {"data": read(paths["data"], DATA_SCHEMA), "licences": settings["licences"]}
    return {"commit": commit(), "versions": cli.versions(PACKAGES), "licence": settings["licence"], **kept}


def write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read(path: Path, schema):
    return table_files.read_table(path, schema).to_pandas()


def tables_of(paths: list[Path], schema) -> pd.DataFrame:
    return pd.concat([read(path, schema) for path in paths], ignore_index=True) if paths else pd.DataFrame()


def library() -> Library:
    """Return the script of the page's tables, which comes with the project."""
    files = {name: (LIBRARY / name).read_text(encoding="utf-8") for name in ("dataTables.min.js", "LICENSE")}
    return Library("DataTables 3.1.5", files["dataTables.min.js"], files["LICENSE"])


def qualities_of(paths: list[Path]) -> dict[tuple[str, str], list]:
    found = {}
    for path in paths:
        found.setdefault((path.parents[1].name, path.parent.name), []).append(read(path, MASK_QUALITY_SCHEMA))
    return found


def figures_of(paths: list[Path], study: dict, upper_bounds: dict) -> dict:
    found = {}
    for path in paths:
        entry = {"settings": study["figures"][path.stem], "upper_bounds": upper_bounds[path.stem]}
        found.setdefault(path.stem, entry)[path.suffix[1:]] = path
    return found


def registration_of(path: Path, present: dict) -> Registration:
    """Return how a registration differs from the present study, and when it was committed."""
    registered = read_registration(path)
    return Registration(
        path.name,
        committed(path),
        differences(registered, present),
        registered.get("evaluated_before", 0),
        rounds_of(registered),
    )


def commit() -> str | None:
    """Return the commit of the code, marked where files differ from it; None outside a git checkout."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        capture_output=True, text=True, cwd=Path(__file__).parent, check=False,
    )  # fmt: skip
    return described.stdout.strip() or None


if __name__ == "__main__":
    gc.disable()  # what a page is made of lives to its end: looking for what does not takes a fifth of the time
    files = {
        "tables": "all tables",
        "figures": "all figures",
        "qualities": "of masks",
        "counts": "of data sets",
        "pictures": "of studies",
        "information": "tests of data sets",
    }
    files |= {"registration": "what was registered, if anything was"}
    written = {"page": "written", "config": "as run; written", "workflow": "a copy of the Snakefile; written"}
    written |= {"record": "an RO-Crate, in the folder that the others are below; written"}
    cli.main(run, files | written, several=tuple(files))
