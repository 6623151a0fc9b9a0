"""Another name for a model: in configs, in the paths of its files, and in what Snakemake noted of them.

No checkpoint, soft label or prediction holds its model's name, so they move as they are. Tables of metrics hold it, and
those of a group; the settings of their jobs name the model, so that Snakemake makes them anew.

Killed while it moves them, the same call goes on: files get their names after the notes of them, and configs come last.
"""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

_SECTIONS = ("teachers", "baselines", "students", "augmented", "pretrained")
_NAMING = ("teacher", "models", "members", "reference", "arms", "better", "than", "model")  # keys of such values
_NAMING += ("sender", "listener")
_KINDS = ("checkpoints", "training", "state", "soft-labels", "predictions", "enhanced", "metrics")  # KIND/DATASET/MODEL
_RECORDS = ("logs", "benchmarks")  # KIND/RULE/DATASET/MODEL


def check(texts: list[str], old: str, new: str) -> None:
    """Raise UserError unless one of the configs has a model of the old name, and none a model or group of the new."""
    models = dict.fromkeys(name for text in texts for name in _names(text, _SECTIONS))
    if old not in models:
        raise UserError(f"'{old}' is not a model; models: {', '.join(models) or 'none'}")
    if any(new in _names(text, (*_SECTIONS, "groups")) for text in texts):
        raise UserError(f"'{new}' is taken by another model or group; choose another name")


def _names(text: str, sections: tuple[str, ...]) -> list[str]:
    config = yaml.safe_load(text) or {}
    return [name for section in sections for name in config.get(section) or {}]


def in_config(text: str, old: str, new: str) -> str:
    """Return a config's text with a model's name changed wherever it means the model; all else stays as it is."""
    mentions = _mentions(yaml.compose(text, yaml.SafeLoader), old)
    spots = {(node.start_mark.index, node.end_mark.index) for node in mentions}
    for start, end in sorted(spots, reverse=True):
        text = text[:start] + text[start:end].replace(old, new, 1) + text[end:]
    return text


def _mentions(config: yaml.MappingNode | None, old: str) -> Iterator[yaml.ScalarNode]:
    for section, entries in config.value if config else ():  # nothing but comments is None
        if section.value in _SECTIONS and isinstance(entries, yaml.MappingNode):
            yield from (name for name, _ in entries.value if name.value == old)
        yield from _values(section.value, entries, old)


def _values(key: str, node: yaml.Node, old: str) -> Iterator[yaml.ScalarNode]:
    """The scalars below `node`, which stands under `key`, that name the model or an arm of it."""
    if isinstance(node, yaml.MappingNode):
        for inner, value in node.value:
            yield from _values(inner.value, value, old)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _values(key, value, old)
    elif key in _NAMING and node.value.partition("/")[0] == old:
        yield node


def move(results: Path, notes: Path, old: str, new: str) -> int:
    """Rename a model's folders of results, with what Snakemake noted of any file; return how many files that are.

    results: as paths in the notes begin. notes: Snakemake's own folder. Raises UserError, before anything is changed,
    where results of the new name are in the way.
    """
    folders = [folder for kind in _KINDS for folder in results.glob(f"{kind}/*/{old}")]
    folders += [folder for kind in _RECORDS for folder in results.glob(f"{kind}/*/*/{old}")]
    if taken := [folder.with_name(new) for folder in folders if folder.with_name(new).exists()]:
        raise UserError(f"{taken[0]} is there already; remove it, or choose another name")
    parts = f"(?:{'|'.join(_KINDS)})/[^/]+|(?:{'|'.join(_RECORDS)})/[^/]+/[^/]+"
    path = re.compile(f"({re.escape(str(results))}/(?:{parts})/){re.escape(old)}(?=/)")
    outdated = [note for kind in ("metadata", "incomplete") for note in _rewrite(notes / kind, path, new)]
    n_files = sum(file.is_file() for folder in folders for file in folder.rglob("*"))
    for folder in folders:
        folder.rename(folder.with_name(new))
    for note in outdated:
        note.unlink()
    return n_files


def _rewrite(notes: Path, path: re.Pattern, new: str) -> list[Path]:
    """Write the notes as they are to be, and return those whose file has another name now."""
    outdated = []
    for note in [note for note in notes.rglob("*") if note.is_file()]:
        name, text = _noted(note, notes), note.read_text()
        now, renamed = path.sub(rf"\g<1>{new}", name), path.sub(rf"\g<1>{new}", text)
        if (now, renamed) != (name, text):
            with atomic_path(notes.parent / "renamed") as temporary:  # its own name may leave no room for a longer one
                temporary.write_text(renamed)
            _place(now, notes).parent.mkdir(parents=True, exist_ok=True)
            (notes.parent / "renamed").replace(_place(now, notes))
            outdated += [note] if now != name else []
    return outdated


def _noted(note: Path, notes: Path) -> str:
    """Return the file that a note of Snakemake is about: its name is in base64, cut where it is too long for one."""
    return base64.urlsafe_b64decode("".join(part.lstrip("@") for part in note.relative_to(notes).parts)).decode()


def _place(name: str, notes: Path) -> Path:
    code, most = base64.urlsafe_b64encode(name.encode()).decode(), os.pathconf(notes, "PC_NAME_MAX") - 1
    *before, last = (code[start : start + most] for start in range(0, len(code), most))
    return notes.joinpath(*(f"@{part}" for part in before), last)
