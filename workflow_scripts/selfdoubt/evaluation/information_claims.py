"""Claims that gains by messages or views lower the NLL of contested images below what members' predictions give.

Each replicate has one difference, from the table of the information test, whose row over all replicates has what the
images add: to one replicate, and to all of them alike.
"""

from selfdoubt.evaluation.claims import Component
from selfdoubt.evaluation.comparisons import Compared, Quantity
from selfdoubt.evaluation.contrast_rows import rows_of
from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.runtime.schemas.comparisons import IDENTICAL


def compare_information(table: list[dict], settings) -> list[dict]:
    """Return the rows of the table "contrasts" of settings.information_claims, if there are any.

    table: rows of INFORMATION, of the data set of the settings. settings: with `overlap`, of the training sets of two
    replicates, as a fraction. Replicates are those of a claim's study, at its present look.
    """
    rows = []
    for claim in getattr(settings, "information_claims", []):
        rows += rows_of(_component(claim, table, settings), claim.study, claim.name)
    return rows


def _component(claim, table: list[dict], settings) -> Component:
    ((protocol, than),) = claim.pairs
    (study,) = (each for each in settings.studies if each.name == claim.study)
    own = [row for row in table if f"{row['group']}/{row['protocol']}" == protocol]
    own = [row for row in own if row["replicate"] in (None, *study.replicates)]
    quantity: Quantity = (claim.metric, claim.score, claim.split)
    compared = _compared(own, settings.overlap)
    return Component(settings.dataset, protocol, than, quantity, compared, claim.margin, (None, None))


def _compared(rows: list[dict], overlap: float) -> Compared:
    replicates = [row for row in rows if row["replicate"] is not None]
    if missing := [row["reason"] for row in replicates if row["difference"] is None]:
        return Compared(len(replicates), reason=missing[0])
    (over_all,) = (row for row in rows if row["replicate"] is None)
    n_images = min(row["n"] for row in replicates)
    differences = tuple(row["difference"] for row in replicates)
    contrast = Contrast(differences, over_all["image_variance"], over_all["shared"], n_images, overlap)
    if not any(differences):
        return Compared(len(replicates), None, 0.0, over_all["without"], IDENTICAL, identical=True)
    if not contrast.error() > 0:
        return Compared(len(replicates), None, contrast.difference, over_all["without"], "nothing varies")
    return Compared(len(replicates), contrast, contrast.difference, over_all["without"])
