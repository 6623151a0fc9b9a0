"""Comparisons of arms as rows of the table "contrasts", and back: all that a verdict needs, and no image."""

from collections.abc import Iterable, Iterator

from selfdoubt.evaluation.claims import Component
from selfdoubt.evaluation.comparisons import Compared
from selfdoubt.evaluation.contrasts import Contrast, ExactContrast

CLAIMED, LOSS, REPEATED = "claimed", "loss", "repeated"
_OF_CONTRAST = ("differences", "image_variance", "shared", "n_images", "overlap")


def rows_of(component: Component, study: str, hypothesis: str | None) -> Iterator[dict]:
    """Yield the row of a comparison, then those of what must not be lost and of its repetitions by other scores."""
    parts = [(CLAIMED, component)]
    parts += [(LOSS, loss) for loss in component.losses] + [(REPEATED, each) for each in component.repeated]
    for part, each in parts:
        yield {"study": study, "hypothesis": hypothesis, "part": part} | _row(each)


def components_of(rows: Iterable[dict]) -> list[Component]:
    """Return the comparisons of rows in the order in which `rows_of` yields them."""
    found: list[list[tuple[str, dict]]] = []
    for row in rows:
        if row["part"] == CLAIMED:
            found.append([])
        found[-1].append((row["part"], row))
    components = []
    for (_, first), *others in found:
        further = {part: tuple(_component(row) for of, row in others if of == part) for part in (LOSS, REPEATED)}
        components.append(_component(first, losses=further[LOSS], repeated=further[REPEATED]))
    return components


def _row(component: Component) -> dict:
    metric, score, split = component.quantity
    compared, contrast = component.compared, component.compared.contrast
    of_contrast = {name: getattr(contrast, name) if contrast else None for name in _OF_CONTRAST}
    return {
        "dataset": component.dataset,
        "better": component.better,
        "than": component.than,
        "metric": metric,
        "score": score,
        "split": split,
        "margin": component.margin,
        "accuracy_part": component.parts[0],
        "ranking_part": component.parts[1],
        "warning": component.warning,
        "n_replicates": compared.n,
        "difference": compared.difference,
        "reference": compared.reference,
        "reason": compared.reason,
        "identical": compared.identical,
        "exact": isinstance(contrast, ExactContrast),
        **of_contrast,
    }


def _component(row: dict, **further) -> Component:
    contrast = None
    if row["differences"] is not None:
        values = {name: row[name] for name in _OF_CONTRAST} | {"differences": tuple(row["differences"])}
        contrast = (ExactContrast if row["exact"] else Contrast)(**values)
    numbers = (row["difference"], row["reference"], row["reason"], row["identical"])
    return Component(
        row["dataset"],
        row["better"],
        row["than"],
        (row["metric"], row["score"], row["split"]),
        Compared(row["n_replicates"], contrast, *numbers),
        row["margin"],
        (row["accuracy_part"], row["ranking_part"]),
        row["warning"],
        **further,
    )
