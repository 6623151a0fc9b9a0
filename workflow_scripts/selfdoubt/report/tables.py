"""Tables ready for the template."""

from dataclasses import dataclass, field


@dataclass
class Cell:
    """One cell: text, spread and the letters of its notes."""

    text: str
    spread: str = ""
    marks: str = ""
    best: bool = False
    value: float | None = None


@dataclass
class Table:
    """A table ready for the template."""

    caption: str
    headings: list[str]  # of the columns after the first
    corner: str = ""  # head of the first column
    n_words: int = 0  # how many of the columns after the first hold words, not numbers
    wraps: bool = False  # whether those words may take several lines
    rows: list[tuple[str, list[Cell]]] = field(default_factory=list)
    groups: list[tuple[str, int]] = field(default_factory=list)  # texts above the headings, with their spans
    notes: list[tuple[str, str]] = field(default_factory=list)  # letter, text
