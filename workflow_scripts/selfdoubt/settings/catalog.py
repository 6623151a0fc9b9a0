"""Sources of images by the `source` of the config, which is KIND or KIND:PLACE.

Each kind is a module of `settings.sources`. It is without torch and pydantic, since jobs import it too, and opens no
file, since rules import it. It has

    FORM = "cifar10[:PATH]"                   how the config writes it; a place in brackets may be left out
    files_of(place, folders) -> [Path]        what it is made of: files, and the folders that list image files
    DOWNLOADS = {file: (address, md5)}        if it is fetched
    LARGEST_SPLIT = (n, channels, px)         if that is known beforehand: of the images of its larger split
    n_images(place) -> n                      else how many there are at most, if listing them is fast
    files_by_split(place) -> ({split: [Path]}, ignored)    if they are tables, whose footers state it
    has_val(place) -> bool                    if val may come with the files
    is_embedded(place) -> bool                if its files may come with the project: jobs go by their content
    N_TEST = n                                if its test split is much smaller than the larger one
    N_CLASSES = K                             if that is known beforehand
    n_classes(place) -> K                     else, if listing folders shows it
    IMAGE_FILES = True                        if its images can stay in their files
    has_masks(place) -> bool                  if masks may come with its images
    has_label_probabilities(place) -> bool    if labels of several people may come with them

Test sets that others have corrupted (`CORRUPTED`) or collected again are modules of `settings.shifts` in the same way,
and so are changes of a data set's own test images (`OF_TEST`), which need its masks.
"""

from functools import cache
from pathlib import Path
from types import ModuleType

from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.registry import modules_named
from selfdoubt.settings.source_files import Folders

_RENAMED = {"embedded:fashion-scenes": "fashion-scenes"}  # sources of earlier configs


def settings_of(source: str, kind: str = "sources") -> ModuleType:
    """Return the module of a source's kind in `settings.{kind}`."""
    return methods.load(f"settings.{kind}", source.partition(":")[0])


def modules_of_source(source: str, kind: str = "sources") -> tuple[str, ...]:
    """Return the module, below the library, that reads a source: for the code digests of its jobs."""
    return modules_named(kind, [source.partition(":")[0]])


def checked(source: str, kind: str = "sources") -> str:
    """Return a source if its kind is known and a place is given where one is needed; raises ValueError otherwise."""
    name, colon, place = source.partition(":")
    if source in _RENAMED:
        raise ValueError(f"'{source}' is called '{_RENAMED[source]}' now; rename it")
    if name not in methods.names_in(f"settings.{kind}"):
        raise ValueError(not_one_of(name, methods.names_in(f"settings.{kind}"), "a kind of source"))
    form = settings_of(name, kind).FORM
    fits = bool(place) if f"{name}:" in form else bool(colon) == bool(place) and (not place or "[:" in form)
    if not fits:
        raise ValueError(f"'{source}' is not of the form {form}; see docs/datasets.md")
    return source


@cache
def files_of(source: str, folders: Folders) -> tuple[str, ...]:
    """Return the files, and for image files their folders, that a source is made of.

    Raises UserError, without the config's key, if any is missing; what is fetched need not be there yet.
    """
    return _as_inputs(settings_of(source).files_of(source.partition(":")[2], folders))


def shifted_files(source: str, name: str = "") -> tuple[str, ...]:
    """Return what a published corruption, or a re-collected test set, is made of; raises UserError if it is missing.

    name: of the corruption, as in the config.
    """
    return _as_inputs(settings_of(source, "shifts").files_of(source.partition(":")[2], name))


def is_of_test(source: str) -> bool:
    """Return whether a shifted set is made of the data set's own test images and their masks."""
    return getattr(settings_of(source, "shifts"), "OF_TEST", False)


def downloads() -> dict[str, tuple[str, str]]:
    """Return the address and MD5 of every file that some source fetches, by file name."""
    sources = map(settings_of, methods.names_in("settings.sources"))
    return {name: facts for source in sources for name, facts in getattr(source, "DOWNLOADS", {}).items()}


def is_embedded(source: str) -> bool:
    """Return whether the files of a source come with the project."""
    module = settings_of(source)
    return hasattr(module, "is_embedded") and module.is_embedded(source.partition(":")[2])


def most_train_images(dataset) -> int | None:
    """Return how many images at most train with, of a published source, without the val drawn from them; None: unknown.

    dataset: an entry of `datasets`. Of each class a fraction is drawn, rounded.
    """
    source = settings_of(dataset.source)
    n = getattr(source, "LARGEST_SPLIT", (None,))[0]
    if n is None or dataset.val_from == "test" or is_embedded(dataset.source):
        return n
    return n - int(dataset.val_fraction * n - source.N_CLASSES / 2)


def has_masks(source: str) -> bool:
    """Return whether masks may come with the images of a source."""
    module = settings_of(source)
    return hasattr(module, "has_masks") and module.has_masks(source.partition(":")[2])


def has_label_probabilities(source: str) -> bool:
    """Return whether labels of several people may come with the images of a source."""
    if source == "predictions":
        return False
    module = settings_of(source)
    return hasattr(module, "has_label_probabilities") and module.has_label_probabilities(source.partition(":")[2])


def _as_inputs(paths: list[Path]) -> tuple[str, ...]:
    """Return paths as texts; raises UserError at one that Snakemake would take for a pattern."""
    for path in paths:
        if "{" in str(path) or "}" in str(path):
            raise UserError(f"{path}: a path cannot have braces, which mean wildcards here; rename it")
    return tuple(map(str, paths))
