"""Papers that are named in code and docs, against docs/references.bib.

python docs/citations.py prints each name that has no entry, and each entry that nothing names; if there is one, it ends
with code 1.
"""

import re
import sys
import unicodedata
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs/references.bib"
WRITTEN = ("docs/methods.md", "docs/references.bib", "docs/config.md")  # from the others
_SURNAME = r"\b[A-Z][\w'’-]+"
_NAMES = rf"{_SURNAME}(?:(?:, {_SURNAME})*,? (?:&|and) {_SURNAME}|\s+et\s+al\.)?"
_VENUE = r"(?:ICLR|ICML|NeurIPS|CVPR|ICCV|ECCV|UAI|AAAI|BMVC|Neurocomputing|SURE)"
_TITLE = r"(?:\"[^\"]{5,120}\",? )?"
NAMED = re.compile(rf"(?P<names>{_NAMES})(?:'s)?,? {_TITLE}\(?(?:{_VENUE},? )*(?P<year>(?:19|20)\d\d)\b")
ARXIV = re.compile(r"\b\d{4}\.\d{5}\b")
NO_NAMES = {"ILSVRC", *re.findall(r"\w+", _VENUE), "November", "Copyright"}
OTHERS = "et al."
_COMBINING = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302"}  # of LaTeX's accents


@cache
def entries() -> dict[str, dict[str, str]]:
    """Return the fields of each entry, by its key."""
    found = {}
    for key, body in re.findall(r"@\w+\{(\w+),\n(.*?)\n\}", FILE.read_text(), re.DOTALL):
        found[key] = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", body, re.MULTILINE))
        found[key]["title"] = re.sub(r"[{}\\]", "", found[key]["title"])
    return found


def surnames(key: str) -> list[str]:
    """Return the surnames of an entry's authors."""
    accented = re.sub(
        r"\{?\\(['`\"^])\{?(\w)\}?\}?",
        lambda match: unicodedata.normalize("NFC", match[2] + _COMBINING[match[1]]),
        entries()[key]["author"].replace("{\\L}", "Ł"),
    )
    return [author.partition(",")[0] for author in accented.split(" and ")]


def plain(text: str) -> str:
    """Return a text without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def shown(key: str) -> str:
    """Return an entry in words, with its key: "Liang, Li & Srikant 2018 [liang2018](references.bib)"."""
    names = surnames(key)
    several = f"{', '.join(names[:-1])} & {names[-1]}" if len(names) > 1 else names[0]
    text = f"{names[0]} et al." if len(names) > 3 or "others" in names else several
    return f"{text} {entries()[key]['year']} [[{key}](references.bib)]"


def found_in(text: str) -> list[tuple[list[str], str]]:
    """Return the surnames and the year of each paper that a text names; of several authors the first and OTHERS."""
    text = re.sub(r"\s+", " ", re.sub(r"\n\s*#", " ", text))
    found = []
    for match in NAMED.finditer(text):
        names = re.split(r", | & | and |,? (?=et al\.)", match["names"])
        names = [plain(name.removesuffix("'s")) for name in names if name]
        if names[0] not in NO_NAMES:
            found.append((names, match["year"]))
    return found


def keys_of(names: list[str], year: str) -> list[str]:
    """Return the entries of a year that have the last of these names among their authors, and the first as first."""
    own = {key: [*map(plain, surnames(key))] for key in entries() if entries()[key]["year"] == year}
    last = names[-1] if names[-1] != OTHERS else names[-2]
    found = {key: authors for key, authors in own.items() if last in authors}
    first = {key: authors for key, authors in found.items() if authors[0] in names}
    alone = [key for key, authors in first.items() if (len(authors) == 1) == (len(names) == 1)]
    return alone or [*first]


def cited(text: str) -> list[str]:
    """Return the keys of the papers that a text names, in its order."""
    by_names = [key for names, year in found_in(text) for key in keys_of(names, year)]
    numbers = {f"arXiv:{number}" for number in ARXIV.findall(text)}
    by_number = [key for key, entry in entries().items() if entry.get("howpublished") in numbers]
    return list(dict.fromkeys([*by_names, *by_number]))


def texts() -> dict[str, str]:
    """Return the files in which papers are named, by path."""
    patterns = (
        "docs/*.md",
        "docs/decisions/*.md",
        "README.md",
        "config.yaml",
        "studies/*.yaml",
        "workflow_scripts/**/*.py",
    )
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    names = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {name: path.read_text() for name, path in names.items() if name not in WRITTEN}


def faults() -> list[str]:
    """Return names without an entry, with their file, and entries that nothing names."""
    missing, used = [], set()
    for path, text in texts().items():
        for names, year in found_in(text):
            missing += [] if keys_of(names, year) else [f"{path}: {', '.join(names)} {year}"]
        used |= {*cited(text)}
    return [*dict.fromkeys(missing), *(f"{FILE.name}: {key} is named nowhere" for key in entries() if key not in used)]


if __name__ == "__main__":
    lines = faults()
    print("\n".join(lines))
    sys.exit(bool(lines))
