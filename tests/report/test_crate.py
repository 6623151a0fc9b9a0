"""The record of a run beside its page: an RO-Crate that names every file, and a validator's word where there is one."""

import hashlib
import json
from pathlib import Path

import pytest
from small_report import COSTS, frame

from selfdoubt.report.crate import NAME, record

DATA = [("toys", "train", 7, "ab" * 32, "pixels"), ("toys", "ood-digits", 3, "cd" * 32, "pixels")]
PROVENANCE = {
    "commit": "abc123-dirty",
    "versions": {"snakemake": "9.1", "torch": "2.0"},
    "machine": {"processor": "A fast one", "threads": 2},
    "devices": {"cpu, float32, 1 thread": 4},
    "began": "2026-01-02T03:04:05+00:00",
    "ended": "2026-01-03T03:04:05+00:00",
    "data": frame("data", DATA),
    "licences": {"datasets": {"toys": "https://spdx.org/licenses/MIT"}, "ood_sets": {"digits": "for research"}},
    "licence": None,
}


@pytest.fixture
def crate(tmp_path) -> Path:
    """A folder with a record and the files that it is of."""
    files = {"workflow": "report/Snakefile", "config": "report/config.yaml", "page": "report/index.html"}
    files |= {"metrics": "tables/metrics.parquet", "figure-a-svg": "figures/a.svg"}
    for path in files.values():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(f"content of {path}")
    paths = {name: tmp_path / path for name, path in files.items()}
    text = record(tmp_path, paths, "selfdoubt: toys", PROVENANCE, frame("costs", COSTS))
    (tmp_path / NAME).write_text(text)
    return tmp_path


def entities(crate: Path) -> dict[str, dict]:
    graph = json.loads((crate / NAME).read_text())["@graph"]
    assert len({entity["@id"] for entity in graph}) == len(graph)
    return {entity["@id"]: entity for entity in graph}


def references(entity: dict) -> list[str]:
    """The ids that an entity names."""
    values = [each for value in entity.values() for each in (value if isinstance(value, list) else [value])]
    return [value["@id"] for value in values if isinstance(value, dict)]


def test_the_record_has_every_file_with_its_digest_and_whatever_it_names(crate):
    found = entities(crate)
    parts = references({"hasPart": found["./"]["hasPart"]})
    assert sorted(parts) == sorted(
        path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file() and path.name != NAME
    )
    for path in [path for path in parts if not path.endswith("Snakefile")]:
        assert found[path]["sha256"] == hashlib.sha256((crate / path).read_bytes()).hexdigest()
    outside = ("https://w3id.org/ro/crate", "https://bioschemas.org", "https://pypi.org/project/", "https://snakemake")
    named = {name for entity in found.values() for name in references(entity)}
    assert not {name for name in named - found.keys() if not name.startswith(outside)}
    assert str(crate) not in (crate / NAME).read_text()


def test_the_run_used_the_config_and_the_data_and_made_the_rest(crate):
    found = entities(crate)
    run = found["#run"]
    assert (run["startTime"], run["endTime"]) == (PROVENANCE["began"], PROVENANCE["ended"])
    assert found["./"]["datePublished"] == "2026-01-03"
    assert references({"object": run["object"]}) == ["report/config.yaml", "#data-toys", "#data-toys-digits"]
    assert references({"result": run["result"]}) == ["report/index.html", "tables/metrics.parquet", "figures/a.svg"]
    assert found["#data-toys"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    assert found["#data-toys-digits"]["license"] == "for research"
    assert found["#digest-toys-train"]["value"] == "ab" * 32


def test_the_costs_of_a_rule_are_its_jobs_together_and_the_largest_of_memory(crate):
    found = entities(crate)  # two jobs of train: 10 and 30 s, 9 and 29 of the processor, 500 and 700 MB
    values = {key: found[f"#{key}-of-train"]["value"] for key in ("seconds", "processor-seconds", "peak-memory")}
    assert values == {"seconds": "40.00", "processor-seconds": "38.00", "peak-memory": "700.00"}


def test_a_record_needs_nothing_that_may_be_missing(tmp_path):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "a.html").touch()
    files = {"workflow": tmp_path / "Snakefile", "page": tmp_path / "a.html"}
    files["config"] = files["page"].with_name("c.yaml")
    files["config"].touch()
    (tmp_path / NAME).write_text(record(tmp_path, files, "t", {}, frame("costs", [])))
    assert entities(tmp_path)["Snakefile"]["version"] == "not under version control"


def test_a_validator_accepts_the_record(crate):
    """Of `make test-crate`; it fetches the contexts of the profile."""
    services = pytest.importorskip("rocrate_validator.services")
    models = pytest.importorskip("rocrate_validator.models")
    settings = services.ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="workflow-run-crate",
        requirement_severity=models.Severity.REQUIRED,
        skip_availability_check=True,
    )
    try:
        found = services.validate(settings)
    except Exception as error:  # whatever its client raises
        pytest.skip(f"the contexts cannot be fetched: {error}")
    assert [issue.message for issue in found.get_issues()] == []
