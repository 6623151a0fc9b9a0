"""Models whose predictions are in files: their names, and which file has which split."""

import difflib
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from selfdoubt.runtime.errors import UserError


class File(NamedTuple):
    """A file of predictions, and whether its labels are the model's classes."""

    path: Path
    labelled: bool


class Model(NamedTuple):
    """A model's name, and its file on each split."""

    name: str
    files: dict[str, File]


def models_of(test: list[Path], val: list[Path] | None, ood: list[Path] | None) -> list[Model]:
    """Return the models; raises UserError where one is given twice, or another number of files on val or OOD."""
    places = [(path.stat().st_dev, path.stat().st_ino) if path.exists() else path for path in test]
    if twice := [path for i, path in enumerate(test) if places[i] in places[:i]]:
        raise UserError(f"{twice[0]}: the same file is given twice")
    files = {"test": [File(path, True) for path in test]}
    if val:
        files["val"] = [File(path, True) for path in _of_each("--val", val, len(test))]
    if ood:
        files["ood-given"] = [File(path, False) for path in _of_each("--ood", ood, len(test))]
    of_each = [dict(zip(files, found, strict=True)) for found in zip(*files.values(), strict=True)]
    return [Model(str(UserError(name)), found) for name, found in zip(short_names(test), of_each, strict=True)]


def _of_each(option: str, given: list[Path], n_models: int) -> list[Path]:
    if len(given) not in (1, n_models):
        wanted = "give one for each, in their order, or a single one"
        raise UserError(f"{option}: {len(given)} files for {n_models} FILEs; {wanted}")
    return given * (n_models // len(given))


def short_names(paths: list[Path]) -> list[str]:
    """Return the shortest part of each path by which they differ: stems, else what is not common to all paths.

    Of runs/a/replicate-1/x.csv and runs/b/replicate-1/x.csv these are a and b.
    """
    absolute = [path.absolute() for path in paths]
    for whole in ([path.parent / path.stem for path in absolute], absolute):
        if len({path.name for path in whole}) == len(whole):
            return [path.name for path in whole]
        if len(set(whole)) == len(whole):
            return ["/".join(parts) for parts in _differing([path.parts for path in whole])]
    return [str(path) for path in paths]


def _differing(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the paths without the parts that all have in common at their beginning, and at their end."""
    first = min(_n_common(paths), *(len(path) - 1 for path in paths))
    last = _n_common([path[:first:-1] for path in paths])  # of what leaves each at least one part
    return [path[first : len(path) - last] for path in paths]


def _n_common(paths: list[tuple[str, ...]]) -> int:
    """Return by how many parts all paths begin alike."""
    return sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False)))


def reference_among(models: list[Model], given: str) -> str:
    """Return the name of the model that is meant, by its name or file; raises UserError if it is none."""
    for model in models:
        if given in (model.name, str(model.files["test"].path)):
            return model.name
    names = [model.name for model in models]
    near = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    raise UserError(f"--reference: '{given}' is no model{hint} Models: {', '.join(names)}")
