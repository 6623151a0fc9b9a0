"""Methods by name: found in their folder, and loaded only by jobs whose digest holds them."""

import pytest

from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError


@pytest.fixture
def everything_allowed(monkeypatch):
    monkeypatch.setattr(methods, "_allowed", None)


def test_a_method_is_the_module_of_its_name(everything_allowed):
    assert methods.load("mixing.methods", "mask-cutmix").__name__ == "selfdoubt.mixing.methods.mask_cutmix"


def test_names_are_those_of_the_folder():
    assert {"cutmix", "mask-cutmix", "saliency-mix"} <= {*methods.names_in("mixing.methods")}
    assert not [name for name in methods.names_in("mixing.methods") if name.startswith("-")]


@pytest.mark.parametrize("name", ["cut-mix", "__init__", "../boxes", ""])
def test_what_is_no_method_is_refused(everything_allowed, name):
    with pytest.raises(UserError, match="choose from"):
        methods.load("mixing.methods", name)


def test_a_job_loads_no_method_that_its_digest_does_not_hold(everything_allowed):
    methods.allow(["mixing.methods.cutmix"])
    assert methods.load("mixing.methods", "cutmix")
    with pytest.raises(RuntimeError, match="digest"):
        methods.load("mixing.methods", "mixup")
