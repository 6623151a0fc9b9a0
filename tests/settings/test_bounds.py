"""Numbers and names of the config are bounded, in one place for all."""

import math

import pytest
from pydantic import TypeAdapter, ValidationError

from selfdoubt.settings.models import Recipe
from selfdoubt.settings.study import Study
from selfdoubt.settings.types import ArmText, Count, Name, NotNegative, Positive, Processes, Replicate, RunName, Strict


def _all_settings(kind=Strict):
    return {kind, *(found for child in kind.__subclasses__() for found in _all_settings(child))}


def _refuses(kind, value):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_every_settings_class_refuses_numbers_that_are_not_finite():
    assert len(_all_settings()) > 40 and Study in _all_settings()  # methods are found by name: all were imported
    for settings in _all_settings():
        assert settings.model_config["allow_inf_nan"] is False, settings.__name__


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_field_of_any_depth_is_finite(number):
    class Inner(Strict):
        at_least_0: float | list[float]

    _refuses(Inner, {"at_least_0": number})
    _refuses(Inner, {"at_least_0": [1.0, number]})


@pytest.mark.parametrize("replicate", [-1, 2**31, 3_000_000_000, 10**19])
def test_a_replicate_fits_where_it_is_stored(replicate):
    assert TypeAdapter(Replicate).validate_python(2**31 - 1) == 2**31 - 1
    _refuses(Replicate, replicate)


@pytest.mark.parametrize("name", ["a" * 61, "a" * 20, "x-" + "ab" * 20, "a" * 300])
def test_a_name_fits_a_file_name_and_snakemakes_look_for_circles(name):
    assert TypeAdapter(Name).validate_python("a" * 19) == "a" * 19
    _refuses(Name, name)
    _refuses(RunName, name)


def test_the_text_of_an_arm_is_bounded():
    _refuses(ArmText, "a" * 300)


@pytest.mark.parametrize(
    ("kind", "largest"), [(Count, 2**31 - 1), (Processes, 1024), (Positive, 1e12), (NotNegative, 1e12)]
)
def test_numbers_have_an_upper_bound(kind, largest):
    assert TypeAdapter(kind).validate_python(largest) == largest
    _refuses(kind, largest * 2)
    _refuses(kind, 10**20)


def _without_upper_bound(node, place=()):
    """Yield where a schema has a number that may be of any size."""
    if isinstance(node, dict):
        if node.get("type") in ("integer", "number") and not {"maximum", "exclusiveMaximum", "enum"} & node.keys():
            yield "/".join(place)
        for key, inner in node.items():
            yield from _without_upper_bound(inner, (*place, key))
    for inner in node if isinstance(node, list) else []:
        yield from _without_upper_bound(inner, place)


def test_every_number_of_the_config_has_an_upper_bound():
    assert not [*_without_upper_bound(Study.model_json_schema())]


@pytest.mark.parametrize("key", ["epochs", "batch_size", "shift_px", "n_workers", "gpu", "threads"])
def test_every_number_of_a_recipe_has_one(config, key):
    _refuses(Recipe, config["recipes"]["short"] | {key: 3_000_000_000})
