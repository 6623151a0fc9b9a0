"""How a run was made, ready for the template: code, machine, versions, data, config and costs."""

import re
from dataclasses import dataclass

import pandas as pd
import yaml

from selfdoubt.figures.texts import counted, listed
from selfdoubt.report.inputs import ReportData
from selfdoubt.report.run_tables import cost_table, training_cost_table
from selfdoubt.report.tables import Cell, Table, number_cell

_SHOWN_DIGITS = 16  # of a digest on the page; the record has all
_ABSOLUTE = re.compile(r"^((?:[a-z0-9-]+:)*)(?:/|~)(?:[^\0]*/)?([^/\0]+)/?$")  # KIND:KIND:/path/to/a/file
_KNOWN = ("machine", "devices", "began", "ended", "data", "licences", "licence", "commit", "versions")


@dataclass(frozen=True)
class Provenance:
    """The section of the page."""

    facts: dict[str, str]
    versions: dict[str, str]
    data: Table | None
    settings: str  # the config as run, as YAML
    costs: Table | None
    training: Table | None


def provenance_of(data: ReportData) -> Provenance:
    """Return the section from the provenance of a report, of which every part may be missing."""
    known = data.provenance
    return Provenance(
        {"commit": commit_text(known.get("commit")), **_run_facts(known)}
        | {key: value for key, value in known.items() if key not in _KNOWN},
        known.get("versions") or {},
        _data_table(known.get("data"), known.get("licences") or {}),
        as_yaml(data.settings),
        cost_table(data.costs),
        training_cost_table(data.costs, data.arms),
    )


def commit_text(described: str | None) -> str:
    """Return a commit in words. described: by `git describe`, whose ending -dirty means uncommitted changes."""
    if described is None:
        return "not under version control"
    commit, dirty, _ = described.partition("-dirty")
    return f"{commit}, with changes that are not committed" if dirty else commit


def as_yaml(settings: dict) -> str:
    """Return the config as run, in its order."""
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=100)


def shortened(settings):
    """Return settings in which absolute paths are "…/" and their last part: where files are kept is no part of it."""
    if isinstance(settings, dict):
        return {key: shortened(value) for key, value in settings.items()}
    if isinstance(settings, list):
        return [shortened(value) for value in settings]
    return _ABSOLUTE.sub(r"\1…/\2", settings) if isinstance(settings, str) else settings


def _run_facts(known: dict) -> dict[str, str]:
    machine, devices = known.get("machine") or {}, known.get("devices") or {}
    facts = {}
    if "began" in known:
        facts["jobs up to the metrics"] = f"{_moment(known['began'])} to {_moment(known['ended'])} UTC"
    if machine:
        parts = [machine["processor"]] if "processor" in machine else []
        parts += [counted(machine["threads"], "thread")] if "threads" in machine else []
        parts += [f"{machine['memory_gb']} GB of memory"] if "memory_gb" in machine else []
        facts["machine that collected the costs"] = ", ".join(parts)
        facts |= {key: machine[key] for key in ("system", "python") if key in machine}
    if devices:
        facts["trained on"] = listed([f"{device} ({counted(n, 'job')})" for device, n in devices.items()])
    return facts


def _moment(time: str) -> str:
    return time[:16].replace("T", " ")


def _data_table(data: pd.DataFrame | None, licences: dict) -> Table | None:
    """Return the digests of each data set's splits, with licences."""
    if data is None or data.empty:
        return None
    of_sets, of_ood = licences.get("datasets", {}), licences.get("ood_sets", {})
    table = Table("", ["split", "images", "SHA-256", "licence"], "data set", n_words=1)
    for row in data.to_dict("records"):
        ood = row["split"].removeprefix("ood-")
        own = of_ood.get(ood) if row["split"].startswith("ood-") else of_sets.get(row["dataset"])
        licence = (own or "not stated").removeprefix("https://spdx.org/licenses/")
        digest = row["sha256"][:_SHOWN_DIGITS]
        cells = [Cell(row["split"]), number_cell(row["n"], 0), Cell(digest), Cell(licence)]
        table.rows.append((row["dataset"], cells))
    table.caption = (
        "What the images are known by: the SHA-256 of ids, labels and pixels, by its first 16 digits; "
        "ro-crate-metadata.json has all."
    )
    if (data["of"] == "names").any():
        table.caption += " Of images that stay in files, of ids, labels and names."
    return table
