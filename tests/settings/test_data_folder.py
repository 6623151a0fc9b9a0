"""`{data_folder}` at the start of the config's paths."""

import pytest
from wrong_configs import check_message, fault

from selfdoubt.settings import data_folder
from selfdoubt.settings.study import load_study

PLACES = [
    ("datasets", "fashion-mnist-12k", "source", "parquet:{}"),
    ("ood_sets", "digits", "source", "folder:{}"),
    ("networks", "r", "weights", "{}.pth"),
    ("pretrained", "p", "weights", "{}.safetensors"),
]


def with_path(config: dict, place: tuple, text: str) -> dict:
    config["networks"]["r"] = {"family": "timm", "name": "resnet18"}
    config["pretrained"] = {"p": {"name": "resnet18"}}
    section, name, key, form = place
    config[section][name][key] = form.format(text)
    return config


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("folder", ["/some/data", "some data", "/some/data/"])
def test_it_is_put_into_every_path(config, place, folder):
    config["data_folder"] = folder
    section, name, key, form = place
    found = load_study(with_path(config, place, "{data_folder}/a/b"))
    assert getattr(getattr(found, section)[name], key) == form.format(f"{folder.rstrip('/')}/a/b")
    dump = found.model_dump()
    assert "data_folder" not in dump  # jobs see it in their paths alone
    shown = data_folder.named(dump, found.data_folder)  # in the report
    assert shown[section][name][key] == form.format("{data_folder}/a/b") and shown["run"] == "default"


@pytest.mark.parametrize("place", PLACES)
def test_where_it_is_not_set_one_line_names_the_key_and_the_entry(config, place):
    message = fault(with_path(config, place, "{data_folder}/a"))
    check_message(message, f"{'.'.join(place[:3])}: '{place[3].format('{data_folder}/a')}'")
    assert "--config data_folder=PATH" in message


def test_it_is_the_start_of_a_path_alone_and_may_be_in_the_home_folder(config, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    config["data_folder"] = "~/data"
    assert (
        load_study(with_path(config, PLACES[2], "{data_folder}/a")).networks["r"].weights == "/home/someone/data/a.pth"
    )
    for text in ("a/{data_folder}/b", "{data_folder}s/b"):
        assert load_study(with_path(config, PLACES[2], text)).networks["r"].weights == f"{text}.pth"


@pytest.mark.parametrize("folder", [3, ["a"], {"a": "b"}, ""])
def test_it_is_a_text(config, folder):
    config["data_folder"] = folder
    assert fault(with_path(config, PLACES[0], "{data_folder}/a")).startswith("config: data_folder")
