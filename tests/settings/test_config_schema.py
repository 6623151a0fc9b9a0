"""The schema by which editors know the keys of a config: it is the settings', and takes what they take."""

import json
import subprocess
import sys

import jsonschema
import pytest
import yaml
from copies import ROOT

FILE = ROOT / "docs/config.schema.json"
CONFIGS = [ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]


def faults(config: dict) -> list:
    return list(jsonschema.Draft202012Validator(json.loads(FILE.read_text())).iter_errors(config))


def test_it_is_that_of_the_settings():
    run = subprocess.run([sys.executable, ROOT / "docs/config_schema.py"], capture_output=True, text=True, check=True)
    assert run.stdout == FILE.read_text(), "make schema"


def test_every_config_fits_and_names_it_and_is_a_run_of_its_own():
    for path in CONFIGS:
        head, config = path.read_text().partition("\n")[0], yaml.safe_load(path.read_text())
        assert (path.parent / head.removeprefix("# yaml-language-server: $schema=")).resolve() == FILE
        assert not faults(config), path.name
        assert config["run"] == ("default" if path.stem == "config" else path.stem)


@pytest.mark.parametrize(
    "config",
    [
        {"sudents": {}},
        {"replicates": ["one"]},
        {"students": {"kd": {"loss": {"method": "kd", "temprature": 4}}}},
        {"recipes": {"short": {"schedule": {"method": "trangular"}}}},
        {"studies": {"enhancers": {"titel": "Deep enhancers"}}},
    ],
)
def test_a_wrong_key_or_value_does_not_fit(config):
    assert faults(config)
