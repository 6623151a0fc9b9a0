"""Checks of enhancers that learn by further models: siblings, of training images, or another one on val."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_all_known
from selfdoubt.settings.predicted import check_has_network
from selfdoubt.settings.students import check_held_out


def check_learning(study) -> Iterator[tuple]:
    """Yield the checks that siblings are folds of a model, with each part left out as often, and have networks."""
    for key, enhancer in study.enhancers.items():
        for named in ("siblings", "errors_of"):
            names, place = _listed(getattr(enhancer, named, None)), f"enhancers.{key}.{named}"
            yield from check_all_known(place, names, study.predicting, "a model")
            for name in names:
                yield check_has_network, place, name, study
        siblings = getattr(enhancer, "siblings", None) or []
        if siblings and all(name in study.predicting for name in siblings):
            yield check_held_out, f"config: enhancers.{key}.siblings", siblings, study
        yield _check_other, key, enhancer


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def _check_other(key: str, enhancer) -> None:
    other = getattr(enhancer, "errors_of", None)
    if other is not None and other in enhancer.models:
        what = f"'{other}' is among its models, whose errors it learns by already; remove the key, or name another"
        raise UserError(f"config: enhancers.{key}.errors_of: {what}")
