"""Names of classes where tables of counts have only numbers: of the images that come with the project.

In one table, not in the modules of the sources: jobs that prepare images depend on those, and none on a name.
"""

_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
KNOWN = {  # source -> names, in the order of labels; resources/*/README.md
    "embedded:fashion-mnist-12k": _FASHION,
    "fashion-scenes": _FASHION,
}


def named(source: str, names: list[str]) -> list[str]:
    """Return the names of a source's classes, in the order of labels: its own, unless they are their numbers alone."""
    known = KNOWN.get(source, ())
    return [*known] if names == [str(label) for label in range(len(known))] else names
