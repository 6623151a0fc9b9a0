"""The record of a run as an RO-Crate, by the profile Workflow Run Crate (Leo et al. 2024): JSON-LD beside the results.

Written without a library: it is one JSON document, and the packages that write such bring a client for downloads along.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from selfdoubt.report.provenance import commit_text

NAME = "ro-crate-metadata.json"
_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
_RO_CRATE, _WORKFLOW = "https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    _WORKFLOW: "Workflow RO-Crate",
}
_BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_LANGUAGE, _RUN, _CONFIG = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake", "#run", "#config"
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
}
_UNITS = {"seconds": "http://qudt.org/vocab/unit/SEC", "MB": "http://qudt.org/vocab/unit/MegaBYTE"}


def record(folder: Path, files: dict[str, Path], title: str, provenance: dict, costs: pd.DataFrame) -> str:
    """Return the document, to be written into `folder`, the root of the crate.

    files: below the folder, which must be there: "workflow" (the Snakefile), "config", "page", tables and figures by
    other names. title: of the run. provenance: as of `ReportData`, with "licence" of the results. costs: COSTS.
    """
    named = {name: path.relative_to(folder).as_posix() for name, path in files.items()}
    results = [path for name, path in named.items() if name not in ("workflow", "config")]
    data = _data(provenance)
    entities = [
        _descriptor(),
        _root(title, provenance, [*named.values()]),
        _workflow(named, provenance),
        _language(provenance),
        *(_file(folder, path, name, named) for name, path in named.items() if name != "workflow"),
        *(_parameter(name, path) for name, path in named.items() if name != "workflow"),
        _action(title, named, results, data, provenance, costs),
        *_resource_usage(costs),
        *_machine(provenance),
        *data,
        *_packages(provenance),
        *_contexts(provenance),
    ]
    document = {"@context": _CONTEXT, "@graph": [_compact(entity) for entity in entities]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _compact(entity: dict) -> dict:
    """Return an entity in which a list of one is that one, and none is left out."""
    found = {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in entity.items()}
    return {key: value for key, value in found.items() if value != []}


def _descriptor() -> dict:
    both = [{"@id": _RO_CRATE}, {"@id": _WORKFLOW}]
    return {"@id": NAME, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": both}


def _root(title: str, provenance: dict, paths: list[str]) -> dict:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": "Numbers, figures and the report of a run of selfdoubt, and how they were made.",
        "datePublished": _date(provenance),
        "license": _licence(provenance.get("licence")),
        "conformsTo": [{"@id": profile} for profile in _PROFILES],
        "hasPart": [{"@id": path} for path in paths],
        "mainEntity": {"@id": _path_of_workflow(paths)},
        "mentions": {"@id": _RUN},
    }


def _path_of_workflow(paths: list[str]) -> str:
    return next(path for path in paths if path.endswith("Snakefile"))


def _date(provenance: dict) -> str:
    """Return the day on which the last job up to the metrics ended; today where that is not known."""
    return provenance.get("ended", datetime.now(UTC).isoformat())[:10]


def _workflow(named: dict[str, str], provenance: dict) -> dict:
    outputs = [name for name in named if name not in ("workflow", "config")]
    return {
        "@id": named["workflow"],
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "selfdoubt",
        "description": "The workflow's table of contents; rules and scripts are in the repository, at the commit.",
        "version": commit_text(provenance.get("commit")),
        "license": {"@id": "https://spdx.org/licenses/MIT"},
        "programmingLanguage": {"@id": _LANGUAGE},
        "conformsTo": {"@id": _BIOSCHEMAS},
        "encodingFormat": "text/plain",
        "input": [{"@id": _CONFIG}],
        "output": [{"@id": f"#{name}"} for name in outputs],
        "softwareRequirements": [{"@id": _address(*each)} for each in (provenance.get("versions") or {}).items()],
    }


def _language(provenance: dict) -> dict:
    address = {"@id": "https://snakemake.readthedocs.io"}
    found = {"@id": _LANGUAGE, "@type": "ComputerLanguage", "name": "Snakemake", "url": address, "identifier": address}
    version = (provenance.get("versions") or {}).get("snakemake")
    return found | ({"version": version} if version else {})


def _file(folder: Path, path: str, name: str, named: dict[str, str]) -> dict:
    """Return a file of the crate with its size and digest."""
    content = (folder / path).read_bytes()
    return {
        "@id": path,
        "@type": "File",
        "name": name,
        "encodingFormat": _FORMATS[Path(path).suffix],
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "exampleOfWork": {"@id": f"#{name}"},
    }


def _parameter(name: str, path: str) -> dict:
    kind = {"additionalType": "File", "name": name, "workExample": {"@id": path}}
    conforms = {"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"}
    return {"@id": f"#{name}", "@type": "FormalParameter", "conformsTo": conforms} | kind


def _action(title: str, named: dict, results: list[str], data: list[dict], provenance: dict, costs) -> dict:
    used = [each["@id"] for each in data if each["@type"] == "CreativeWork"]
    found = {
        "@id": _RUN,
        "@type": "CreateAction",
        "name": title,
        "description": "The jobs up to the metrics, and those of tables, figures and report.",
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": {"@id": named["workflow"]},
        "object": [{"@id": each} for each in [named["config"], *used]],
        "result": [{"@id": path} for path in results],
        "resourceUsage": [{"@id": each["@id"]} for each in _resource_usage(costs)],
        "additionalProperty": [{"@id": each["@id"]} for each in _machine(provenance)],
    }
    times = {"startTime": provenance.get("began"), "endTime": provenance.get("ended")}
    return found | {key: time for key, time in times.items() if time}


def _resource_usage(costs: pd.DataFrame) -> list[dict]:
    """Return seconds, processor seconds and peak memory of each rule, as far as they are known."""
    found = []
    for rule, rows in costs.groupby("rule", sort=True):
        of_rule = [("seconds", "seconds", rows["seconds"].sum())]
        of_rule += [("processor-seconds", "seconds", rows["cpu_seconds"].sum(min_count=1))]
        of_rule += [("peak-memory", "MB", rows["max_rss_mb"].max())]
        for key, unit, value in of_rule:
            if not pd.isna(value):
                name = f"{key.replace('-', ' ')} of {rule} ({len(rows)} jobs)"
                found.append(_property(f"#{key}-of-{rule}", name, f"{value:.2f}", key) | {"unitCode": _UNITS[unit]})
    return found


def _machine(provenance: dict) -> list[dict]:
    known = provenance.get("machine") or {}
    found = [_property(f"#machine-{key}", key.replace("_", " "), str(value), key) for key, value in known.items()]
    devices = provenance.get("devices") or {}
    texts = [f"{device}: {n} jobs" for device, n in devices.items()]
    return found + ([_property("#devices", "trained on", "; ".join(texts), "devices")] if texts else [])


def _property(key: str, name: str, value: str, identifier: str) -> dict:
    return {"@id": key, "@type": "PropertyValue", "name": name, "propertyID": identifier, "value": value}


def _data(provenance: dict) -> list[dict]:
    """Return each data set, each OOD set and their digests; digests of other parts than images are not known."""
    table, licences = provenance.get("data"), provenance.get("licences") or {}
    if table is None:
        return []
    works, digests = {}, []
    for row in table.to_dict("records"):
        ood = row["split"].startswith("ood-")
        name = row["split"].removeprefix("ood-") if ood else row["dataset"]
        licence = (licences.get("ood_sets" if ood else "datasets") or {}).get(name)
        work = works.setdefault(
            f"#data-{row['dataset']}-{name}" if ood else f"#data-{name}",
            {"@type": "CreativeWork", "name": name, "license": _licence(licence), "identifier": []},
        )
        key = f"#digest-{row['dataset']}-{row['split']}"
        digests.append(_property(key, f"{row['split']}, {row['n']} images, {row['of']}", row["sha256"], "sha256"))
        work["identifier"].append({"@id": key})
    return [*({"@id": key} | work for key, work in works.items()), *digests]


def _packages(provenance: dict) -> list[dict]:
    versions = provenance.get("versions") or {}
    return [
        {
            "@id": _address(package, version),
            "@type": "SoftwareApplication",
            "name": package,
            "url": {"@id": f"https://pypi.org/project/{package}/"},
            "softwareVersion": version,
        }
        for package, version in versions.items()
    ]


def _address(package: str, version: str) -> str:
    return f"https://pypi.org/project/{package}/{version}/"


def _licence(text: str | None):
    text = text or "not stated"
    return {"@id": text} if text.startswith("https://") else text


def _contexts(provenance: dict) -> list[dict]:
    """Return what others of the entities only name: profiles and licences."""
    licences = {text for section in (provenance.get("licences") or {}).values() for text in section.values()}
    licences |= {provenance.get("licence") or "", "https://spdx.org/licenses/MIT"}
    addresses = sorted(text for text in licences if text.startswith("https://"))
    found = [
        {"@id": address, "@type": "CreativeWork", "name": name, "version": address.rpartition("/")[2]}
        for address, name in _PROFILES.items()
    ]
    named = [(address, address.rstrip("/").rpartition("/")[2]) for address in addresses]
    return found + [{"@id": address, "@type": "CreativeWork", "name": name} for address, name in named]
