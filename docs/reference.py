"""docs/config.md, every key of a config, and docs/methods.md, every method with its papers.

They are made from the settings, with the comments at their fields, and from the docstrings of methods.
python docs/reference.py prints both; --write writes them (`make reference`).
"""

import ast
import inspect
import re
import sys
import textwrap
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "docs")]

from citations import cited, entries, shown  # noqa: E402

from selfdoubt.runtime.methods import module_in, names_in  # noqa: E402
from selfdoubt.settings.registry import FOLDERS, settings_of  # noqa: E402
from selfdoubt.settings.study import Study  # noqa: E402
from selfdoubt.settings.types import Label, Name  # noqa: E402

CONFIG, METHODS = ROOT / "docs/config.md", ROOT / "docs/methods.md"
LIBRARY = ROOT / "workflow_scripts/selfdoubt"
LARGE = 2**31 - 1  # bounds beyond it are those of a number's representation
UNITS = {
    "_px": "px",
    "_255": "255ths of the pixel range",
    "_percent": "%",
    "_degrees": "degrees",
    "_mm": "mm",
    "_gb": "GB",
    "epochs": "epochs",
}
PATTERNS = {  # of texts, by what a pattern has
    "(/[a-z0-9]+": "an arm",
    "^ood-": "ood-NAME",
    "[a-z0-9]+(-[a-z0-9]+)*$": "a name",
}
PLURALS = {"a name": "names", "an arm": "arms", "ood-NAME": "OOD splits", "text": "texts"}
KINDS = {  # kind of method: heading, key that names it, section of config.md
    "losses": ("Losses of students", "method"),
    "targets": ("Target transforms of students", "method"),
    "techniques": ("Techniques of training on labels", "method"),
    "mixing": ("Mixings", "method"),
    "enhancers": ("Enhancers", "method"),
    "protocols": ("Protocols of groups", "method"),
    "messages": ("Messages", "message"),
    "scores": ("Confidence scores", "score"),
    "families": ("Families of networks", "family"),
    "figures": ("Kinds of figures", "kind"),
    "corruptions": ("Corruptions", None),
    "sources": ("Sources of images", None),
}
DESCRIBED = {  # kind of method: the page with its definitions
    "losses": "distillation.md#losses",
    "targets": "distillation.md#target-transforms",
    "techniques": "training.md#techniques",
    "mixing": "mixing.md",
    "enhancers": "enhancers.md",
    "protocols": "communication.md",
    "messages": "communication.md#messages",
    "scores": "metrics.md#confidence-scores",
    "families": "networks.md",
    "corruptions": "corruptions.md",
    "sources": "datasets.md#sources",
}
COMMON = {  # of keys that several sections have, and that say it all by their name
    "method": "which method it is",
    "family": "which family it is",
    "kind": "which kind it is",
    "label": "by which figures and tables show it",
    "models": "whose inputs it changes",
    "dataset": "that is shown",
    "message": "how a sender changes an image; some have [keys of their own](#messages-spatial)",
    "n_candidates": "the most probable classes, for each of which messages are sent",
    "optimizer": "and its settings: docs/training.md",
    "schedule": "of the learning rate: docs/training.md",
    "shift_px": "by up to so many pixels in each direction",
    "split": "that is shown or compared: val, test, ood-NAME, CORRUPTION-SEVERITY, …",
    "arms": "in the order in which they are shown",
    "score": "the confidence score",
    "metric": "docs/metrics.md",
    "style": "what it is for, and its size",
    "network": "of `networks`",
    "recipe": "of `recipes`",
    "segmenter": "of `segmenters`",
    "teacher": "a model, or several",
    "study": "of `studies`",
    "statement": "the claim in words, for the report",
    "features": "whether penultimate features are kept, for scores that are computed of them",
    "temperature": "of the softmax",
    "epochs": "passes over the training images",
    "batch_size": "images of a step",
    "learning_rate": "the largest of the schedule",
    "epsilon_255": "the largest change of a pixel",
    "n_steps": "of the gradient",
    "n_folds": "of cross-fitting",
    "penalty": "of squared weights",
    "device": "auto: a GPU where there is one",
    "l2_penalty": "of the logistic model: half of it times the squared weights is added to the mean log loss",
    "from": "the first replicate's number",
    "n": "how many replicates",
    "looks": "numbers of replicates, rising, after each of which the claims are tested",
    "weights_key": "of the state dict in the file, where there are several",
}
FILLED_IN = {"dataset": "the first"}  # of keys that a config may leave out, though their types require them
INTERNAL = {"twin", "fold"}  # of members of twins and folds, which the program sets
HEAD_OF_CONFIG = """\
# Every key of a config

Written by `python docs/reference.py` from the settings that check a config; edits belong there. A study overrides
[config.yaml](../config.yaml), in which the keys of the default study stand with their values; `null` takes an entry
out. Units are in the names: `_px` pixels, `_255` 255ths of the pixel range, `_percent` %, `_degrees`, `_mm`, `_gb` GB,
`n_` a count, `_fraction` of 1. *Required* keys have no default. A name is lower-case words joined by `-`. An arm is
MODEL, MODEL/VARIANT or GROUP/PROTOCOL. Editors complete the same keys by [config.schema.json](config.schema.json).
"""
HEAD_OF_METHODS = """\
# Methods and their papers

Written by `python docs/reference.py`: every method by the name that a config gives it, in a sentence, with the papers
that its module names. Keys in brackets are those of [references.bib](references.bib); the settings of each are in
[config.md](config.md).
"""


# ---- types in words ----


def kind_of(annotation, metadata=()) -> str:
    """Return a type in words: choices, bounds, links to the sections of others."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(arguments[0], (*metadata, *arguments[1:]))
    if origin in (Union, UnionType):
        parts = [part for part in arguments if part is not NoneType]
        several = ", " if len(parts) > 2 and all(map(_model_of, parts)) else " or "
        return several.join(dict.fromkeys(kind_of(part) for part in parts))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {PLURALS.get(inner := kind_of(arguments[0]), inner)}"
    if origin is dict:
        return f"by name: {kind_of(arguments[1])}"
    if model := _model_of(annotation):
        title = title_of(model)
        return f"[{title.partition(': ')[2] or title}](#{anchor(title)})"
    return _plain(annotation, _flat(metadata))


def _model_of(annotation) -> type[BaseModel] | None:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _flat(metadata) -> list:
    """Return constraints, those within fields among them."""
    return [one for each in metadata for one in (each.metadata if isinstance(each, FieldInfo) else [each])]


def _plain(annotation, metadata: list) -> str:
    if annotation is bool:
        return "true, false"
    if annotation is str:
        patterns = [each.pattern for each in metadata if getattr(each, "pattern", None)]
        named = [words for part, words in PATTERNS.items() if any(part in pattern for pattern in patterns)]
        return named[0] if named else "text"
    word = {int: "integer", float: "number"}.get(annotation, str(getattr(annotation, "__name__", annotation)).lower())
    signs = {bounds.Ge: ("ge", "≥"), bounds.Gt: ("gt", ">"), bounds.Le: ("le", "≤"), bounds.Lt: ("lt", "<")}
    limits = []
    for each in metadata:
        if type(each) in signs:
            name, sign = signs[type(each)]
            value = getattr(each, name)
            limits += [f"{sign} {value:g}"] if abs(value) < LARGE else []
    return " ".join([word, " and ".join(limits)]).strip()


# ---- sections of config.md ----

TITLES = {
    "Study": "top level",
    "Dataset": "data set",
    "OodSet": "OOD set",
    "LabelModel": "model that learns from labels",
}


def title_of(model: type[BaseModel]) -> str:
    """Return what a section is called: of a method, its kind and name; else the words of the class."""
    *_, kind, name = model.__module__.split(".")
    if kind in FOLDERS:
        own = "" if model.__name__ == "Settings" else f" ({words(model.__name__)})"
        return f"{KINDS.get(kind, (kind,))[0].lower()}: {name.replace('_', '-')}{own}"
    return TITLES.get(model.__name__, words(model.__name__))


def words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def anchor(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def models_in(annotation) -> list[type[BaseModel]]:
    """Return the classes of settings that a type names."""
    model = _model_of(annotation)
    return [model] if model else [each for part in get_args(annotation) for each in models_in(part)]


@cache
def sections() -> dict[type[BaseModel], list[str]]:
    """Return every class of settings that a config reaches, as a reader meets them, with the sections that it is in."""
    found = {Study: [""]}
    waiting = [(model, key) for key, field in Study.model_fields.items() for model in models_in(field.annotation)]
    while waiting:
        model, key = waiting.pop(0)
        if key not in found.setdefault(model, []):
            found[model].append(key)
            fields = [field for name, field in model.model_fields.items() if name not in INTERNAL]
            own = [each for field in fields for each in models_in(field.annotation)]
            waiting = [*((each, key) for each in dict.fromkeys(own)), *waiting]
    own = [kind for kind in settings_of("messages", "message").values() if len(kind.model_fields) > 1]
    return found | {kind: ["messages"] for kind in own}  # whose keys stand among those of a protocol


def section(model: type[BaseModel]) -> str:
    rows = [row(model, name, field) for name, field in model.model_fields.items()]
    rows = [line for line in rows if line]
    intro = [inspect.cleandoc(model.__doc__).split("\n\n")[0].replace("\n", " ")] if _has_own_text(model) else []
    table = ["| key | value | default | |", "|---|---|---|---|", *rows] if rows else ["No keys of its own."]
    return "\n".join([f"## {title_of(model)}", "", *(line for text in intro for line in (text, "")), *table, ""])


def _has_own_text(model: type[BaseModel]) -> bool:
    return "__doc__" in vars(model) and bool(vars(model)["__doc__"])


def row(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """Return the line of a key."""
    key = field.alias or name
    if key in INTERNAL:
        return ""
    if field.annotation in (Name, Label):
        kind = "a name" if field.annotation is Name else "text"
    else:
        kind = kind_of(field.annotation, field.metadata)
    unit = next((unit for end, unit in UNITS.items() if key.endswith(end)), "")
    value = kind if not unit or kind.startswith(("[", "`")) else f"{kind}, {unit}"
    default = FILLED_IN.get(key, "*required*") if field.is_required() else default_of(field)
    places = (("", key),) if model is Study else tuple((section, key) for section in sections()[model])
    text = comments(model).get(name) or ("" if model is Study else COMMON.get(key, ""))
    text = text or next(filter(None, map(comments_of_config().get, places)), "")
    text = re.sub(r"\b(None|True|False)\b", lambda match: {"None": "null"}.get(match[0], match[0].lower()), text)
    return f"| `{key}` | {cell(value)} | {cell(default)} | {cell(text)} |"


def default_of(field: FieldInfo) -> str:
    if field.default_factory is not None:  # which takes the other keys
        return "by the others"
    value = field.default
    if isinstance(value, BaseModel):
        return "as below"
    if value is None:
        return "`null`"
    if value == "":
        return "none"
    written = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return f"`{written if not isinstance(written, float) else format(written, 'g')}`"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


@cache
def comments(model: type[BaseModel]) -> dict[str, str]:
    """Return the comment beside or above each field of a class, and of those that it is derived from."""
    found = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel and base.__module__.startswith("selfdoubt"):
            found |= _comments_in(base)
    return found


def _comments_in(model: type[BaseModel]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(model))
    except OSError:  # made from another class, which has the comments
        return {}
    lines, found = source.split("\n"), {}
    for node in ast.parse(source).body[0].body:
        if isinstance(node, ast.AnnAssign):
            beside, above = lines[node.end_lineno - 1][node.end_col_offset :], lines[node.lineno - 2].strip()
            text = beside.partition("#")[2] or (above[1:] if above.startswith("#") else "")
            if text:
                found[node.target.id] = text.strip()
    return found


@cache
def comments_of_config() -> dict[tuple[str, str], str]:
    """Return the first comment at each key of a section of config.yaml; of a section itself by ("", section)."""
    section, found = "", {}
    for line in (ROOT / "config.yaml").read_text().split("\n"):
        if match := re.match(r"( *)(?:- )?([a-z_0-9]+):(?:[^#]*?)(?: # (.*))?$", line):
            section = section if match[1] else match[2]
            if match[3]:
                found.setdefault((section if match[1] else "", match[2]), match[3])
    return found


def config_page() -> str:
    return "\n".join([HEAD_OF_CONFIG, *map(section, sections())]).rstrip() + "\n"


# ---- methods.md ----


def methods_page() -> str:
    """Return a table for each kind of method: its name, its first sentence and its papers; then all other papers."""
    parts, known = [HEAD_OF_METHODS], set()
    for kind, (heading, by) in KINDS.items():
        names = [*settings_of(kind, by)] if by else names_in(FOLDERS[kind])
        where = f" Definitions: [{DESCRIBED[kind]}]({DESCRIBED[kind]})." if kind in DESCRIBED else ""
        parts += [f"## {heading}", "", f"{len(names)} of them.{where}", "", "| name | | papers |", "|---|---|---|"]
        for name in names:
            text = docstring(kind, name)
            papers = cited(text)
            known |= {*papers}
            parts.append(f"| `{name}` | {cell(sentence(text))} | {', '.join(shown(key) for key in papers)} |")
        parts.append("")
    others = [key for key in entries() if key not in known]
    parts += [
        "## Metrics, statistics, training and data",
        "",
        "Papers that code and docs name beside those of methods.",
        "",
    ]
    parts += [f"- {shown(key)}: {entries()[key]['title']}" for key in others]
    return "\n".join(parts) + "\n"


def docstring(kind: str, name: str) -> str:
    """Return the docstring of a method's module; of a source the one of its settings."""
    place = f"settings.{kind}" if kind == "sources" else FOLDERS[kind]
    path = LIBRARY.joinpath(*module_in(place, name).split(".")).with_suffix(".py")
    return inspect.cleandoc(ast.get_docstring(ast.parse(path.read_text())))


def sentence(text: str) -> str:
    """Return the first sentence, on one line and without the names of papers."""
    first = " ".join(text.split("\n\n")[0].split())
    first = re.split(r"(?<=[a-z0-9)\]]\.) (?=[A-Z])", first)[0]
    return re.sub(r" \((?:[^()]*\b(?:19|20)\d\d[^()]*)\)", "", first)


if __name__ == "__main__":
    pages = {CONFIG: config_page(), METHODS: methods_page()}
    for path, text in pages.items():
        if "--write" in sys.argv:
            path.write_text(text)
        else:
            print(text)
