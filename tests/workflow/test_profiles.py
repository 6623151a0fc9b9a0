"""Profiles set resources only of rules that exist."""

import math
import re
from collections import Counter

import yaml
from copies import ROOT
from expected_jobs import EVERYTHING


def rules() -> set[str]:
    return {
        name
        for path in ROOT.glob("rules/*.smk")
        for name in re.findall(r"^(?:use rule \w+ as|rule) (\w+)", path.read_text(), re.M)
    }


def test_the_slurm_profile_names_rules_and_groups_that_there_are():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert profile["groups"].keys() | profile["set-resources"].keys() <= rules()
    assert profile["group-components"].keys() <= set(profile["groups"].values())


def test_a_profile_beside_the_default_one_repeats_none_of_its_keys():
    """The default profile is loaded besides any other, and its word would count."""
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    others = [path for path in ROOT.glob("profiles/*/config.yaml") if path.parent.name != "default"]
    assert others and all(not yaml.safe_load(path.read_text()).keys() & default.keys() for path in others)


def test_the_docs_count_the_submissions_of_the_tests_study():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    grouped = Counter(profile["groups"].get(job.partition(":")[0]) for job in EVERYTHING)
    alone, at_once = grouped.pop(None), profile["group-components"]
    n = alone + sum(math.ceil(jobs / at_once.get(group, jobs)) for group, jobs in grouped.items())
    text = (ROOT / "docs/clusters.md").read_text()
    assert f"The {len(EVERYTHING)} jobs of the tests' study are {n} submissions" in text
