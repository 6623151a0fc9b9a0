"""Profiles set resources only of rules that exist."""

import re

import yaml
from copies import ROOT


def rules() -> set[str]:
    return {name for path in ROOT.glob("rules/*.smk") for name in re.findall(r"^rule (\w+):", path.read_text(), re.M)}


def test_the_slurm_profile_names_rules_and_groups_that_there_are():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert profile["groups"].keys() | profile["set-resources"].keys() <= rules()
    assert profile["group-components"].keys() <= set(profile["groups"].values())


def test_a_profile_beside_the_default_one_repeats_none_of_its_keys():
    """The default profile is loaded besides any other, and its word would count."""
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    others = [path for path in ROOT.glob("profiles/*/config.yaml") if path.parent.name != "default"]
    assert others and all(not yaml.safe_load(path.read_text()).keys() & default.keys() for path in others)
