"""Paths of the config that begin with `{data_folder}/`, the folder that the key `data_folder` names."""

import re
from pathlib import Path

from selfdoubt.runtime.errors import UserError

_USED = re.compile(r"^([a-z0-9-]+:)?\{data_folder\}(?=/|$)")  # at the start of a path, or of that of a source KIND:PATH


def expanded(config: dict) -> dict:
    """Return the config with `data_folder` put into every path that begins with it.

    Raises UserError, with the key of the first such path, if it is not set. What else it may be is left to the types.
    """
    folder = config.get("data_folder")
    return _in(config, [], folder if folder is None else str(Path(str(folder)).expanduser()))


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
