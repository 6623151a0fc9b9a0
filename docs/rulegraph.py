"""The rule graph of the default study as mermaid, kept in README.md between two marks.

An edge is left out if a longer way leads from the one rule to the other, so that what remains can be read.

python docs/rulegraph.py prints it; --write puts it into the README (`make rulegraph`).
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MARKS = re.compile(r"(<!-- rulegraph -->\n).*?(<!-- /rulegraph -->)", re.DOTALL)


def rulegraph() -> str:
    """Get the graph from Snakemake and write it with names for ids and edges in a fixed order."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js", "--quiet", "all"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = dict(re.findall(r"^\s*(id\d+)\[(.+)\]$", text, re.MULTILINE))
    edges = {(names[a], names[b]) for a, b in re.findall(r"^\s*(id\d+) --> (id\d+)$", text, re.MULTILINE)}
    lines = [f"    {a} --> {b}" for a, b in sorted(reduced(edges)) if b != "all"]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```", ""])


def reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the edges of a graph without circles that no longer way leads along."""
    after = {a: {b for start, b in edges if start == a} for a, _ in edges}

    def reached(name: str) -> set[str]:
        return {name}.union(*map(reached, after.get(name, ())))

    return {(a, b) for a, b in edges if not any(b in reached(c) for c in after[a] - {b})}


def in_readme() -> str:
    """Return what stands between the marks now."""
    whole = MARKS.search(README.read_text()).group(0)
    return whole.split("\n", 1)[1].rpartition("<!--")[0]


if __name__ == "__main__":
    graph = rulegraph()
    if "--write" in sys.argv:
        README.write_text(MARKS.sub(lambda found: found[1] + graph + found[2], README.read_text()))
    else:
        print(graph, end="")
