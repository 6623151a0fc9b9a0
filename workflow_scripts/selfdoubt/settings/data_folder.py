"""Paths of the config that begin with `{data_folder}/`, the folder that the key `data_folder` names."""

import re

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import path_of

_USED = re.compile(r"^([a-z0-9-]+:)?\{data_folder\}(?=/|$)")  # at the start of a path, or of that of a source KIND:PATH


def expanded(config: dict) -> dict:
    """Return the config with `data_folder` put into every path that begins with it.

    Raises UserError, with the key of the first such path, if it is not set. What else it may be is left to the types.
    """
    folder = config.get("data_folder")
    return _in(config, [], folder if folder is None else str(path_of(str(folder))))


def named(settings, folder: str | None):
    """Return settings with `{data_folder}` in their paths again, so that a report is the same wherever it lies."""
    if isinstance(settings, dict):
        return {key: named(value, folder) for key, value in settings.items()}
    if isinstance(settings, list):
        return [named(value, folder) for value in settings]
    if folder is None or not isinstance(settings, str):
        return settings
    start = re.escape(str(path_of(folder)))
    return re.sub(rf"^([a-z0-9-]+:)?{start}(?=/)", r"\1{data_folder}", settings)


def _in(value, keys: list, folder: str | None):
    if isinstance(value, dict):
        return {key: _in(entry, [*keys, key], folder) for key, entry in value.items()}
    if isinstance(value, list):
        return [_in(entry, [*keys, i], folder) for i, entry in enumerate(value)]
    if not isinstance(value, str) or not _USED.match(value):
        return value
    if folder is None:
        place = ".".join(map(str, keys))
        remedy = "add 'data_folder: PATH', or give --config data_folder=PATH"
        raise UserError(f"config: {place}: '{value}', and data_folder is not set; {remedy}")
    return _USED.sub(lambda found: (found[1] or "") + folder, value)
