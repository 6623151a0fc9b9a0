"""The verdict on each claim in sentences with their numbers, and the headline of the page."""

from dataclasses import dataclass

import pandas as pd

from selfdoubt.evaluation.verdicts import LEAST_REPLICATES
from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import metric_of, p_value
from selfdoubt.report.numbers import Numbers
from selfdoubt.report.sentences import (
    change_sentence,
    comparison_sentence,
    difference_text,
    interval_text,
    kept_sentence,
    labels_of,
    on_enough,
    repeat_sentence,
    replicates_text,
    size_text,
    unit_text,
)

SYMBOLS = {"supported": "✓", "refuted": "✗", "negligible": "≈", "identical": "=", "inconclusive": "?"}


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim, on one data set or on several together, in words."""

    hypothesis: str
    dataset: str
    role: str  # check, primary or secondary
    statement: str
    compared: str  # "A − B": of which arms the differences are
    verdict: str
    sentence: str
    further: list[str]  # the other comparisons of a compound claim, what must be kept, and other scores
    differences: list[str]  # of each comparison that it is made of, in short
    p: float | None  # of the verdict, corrected: of no difference, or of one beyond the margin where it is negligible
    registered: bool

    @property
    def kind(self) -> str:
        """The first word: supported, refuted, negligible, identical or inconclusive."""
        return self.verdict.partition(",")[0]

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.kind, "")


def verdicts_of(
    hypotheses: pd.DataFrame, comparisons: pd.DataFrame, numbers: Numbers, study: str, names: Arms = BY_NAME
) -> list[Verdict]:
    """Return the verdicts on the claims of one study, in the order of the table."""
    rows = hypotheses[hypotheses["study"] == study].to_dict("records")
    several = len({row["dataset"] for row in rows}) > 1
    return [_verdict(row, _members(row, comparisons), numbers, names, several) for row in rows]


def _members(row: dict, comparisons: pd.DataFrame) -> list[dict]:
    """Return the comparisons of a claim, on the data sets that its row is about."""
    own = comparisons[comparisons["hypothesis"] == row["hypothesis"]]
    return own[own["dataset"].isin(row["dataset"].split(", "))].to_dict("records")


def _verdict(row: dict, members: list[dict], numbers: Numbers, names: Arms, several: bool) -> Verdict:
    quantity = [row[key] for key in ("metric", "score", "split")]
    own = [m for m in members if not m["repeats"] and [m[key] for key in ("metric", "score", "split")] == quantity]
    kept = [m for m in members if not m["repeats"] and m not in own]
    compound = row["n_components"] > 1

    def described(member: dict) -> str:
        place = f"{member['dataset']}, {member['split']}" if several or compound else member["split"]
        return comparison_sentence(member, numbers, names, place)

    simple = f"{described(row)} {_certainty(row)}{_needed(row)}"
    sentence = f"{_rule(row)}{_certainty(row)}{_of_few(row)}" if compound else simple
    if not pd.isna(row["warning"]):
        sentence += f" Warning: {row['warning']}."
    repeated = [each for each in members if each["repeats"]]
    further = []
    for each in own if compound else []:
        others = repeat_sentence([other for other in repeated if _compares_as(other, each)], row["metric"])
        further.append(" ".join(filter(None, [described(each), _numbers_of(each, row), others])))
    further += [
        kept_sentence(each, names, each["dataset"]) if several or compound else change_sentence(each) for each in kept
    ]
    further += [] if compound else [repeat_sentence(repeated, row["metric"])]
    return Verdict(
        row["hypothesis"],
        row["dataset"],
        row["role"],
        row["statement"],
        _arms(row, names),
        row["verdict"],
        sentence,
        [text for text in further if text],
        _differences(own, names, several or compound),
        row["p_negligible_holm" if row["verdict"] == "negligible" else "p_holm"],
        bool(row["registered"]),
    )


def _differences(members: list[dict], names: Arms, placed: bool) -> list[str]:
    """Return each difference with its interval and where it is: on which data set, and with what it is compared."""
    several = len({(member["better"], member["than"]) for member in members}) > 1
    found = []
    for member in members:
        where = ", ".join(filter(None, [member["dataset"] if placed else "", _arms(member, names) if several else ""]))
        found.append(f"{where}: {difference_text(member)}" if where else difference_text(member))
    return found


def _arms(row: dict, names: Arms) -> str:
    return f"{labels_of(row['better'], names)} − {labels_of(row['than'], names)}"


def _compares_as(one: dict, other: dict) -> bool:
    """Return whether two comparisons are of the same arms on the same data set."""
    return all(one[key] == other[key] for key in ("dataset", "better", "than"))


def _numbers_of(member: dict, row: dict) -> str:
    """Return what is known of one of several comparisons, and how many replicates are required if the claim is open.

    row: of HYPOTHESES.
    """
    known = member | {key: row[key] for key in ("level", "units")}
    is_open = row["verdict"] == "inconclusive" and member["n_replicates"] > 1 and not pd.isna(member["margin"])
    required = f" {_required(member)}" if is_open and row["units"] != "networks" and not pd.isna(member["low"]) else ""
    return f"{'; '.join(_of_one(known))}.{required}"


def _of_one(row: dict) -> list[str]:
    """Return the intervals, the margin and the replicates of one comparison; row: with the level and units of its
    claim.
    """
    texts = [f"95{NO_BREAK}% interval {interval_text(row)}" if not pd.isna(row["low"]) else "No interval"]
    if not pd.isna(row["low_family"]) and row["level"] < 0.0499:
        interval = interval_text(row, "low_family", "high_family")
        texts.append(f"{100 * (1 - row['level']):.3g}{NO_BREAK}% interval {interval}")
    if not pd.isna(row["margin"]):
        texts.append(f"margin {size_text(row['margin'], metric_of(row['metric']))}{_negligible_with(row)}")
    return [*texts, replicates_text(row)]


def _rule(row: dict) -> str:
    """Return in words how the comparisons of a compound claim decide it."""
    datasets = len(row["dataset"].split(", "))
    if pd.isna(row["on_at_least"]):
        return f"It requires each of {int(row['n_components'])} comparisons. "
    return f"It requires {on_enough(int(row['on_at_least']), datasets)}. "


def _certainty(row: dict) -> str:
    if row["verdict"] == "identical":
        return "It is in no family."
    texts = _of_one(row) if row["n_components"] == 1 else []  # each comparison of several has its own
    texts.append(f"corrected p{NO_BREAK}{p_value(row['p_holm'])}")
    if not pd.isna(row["p_no_loss"]):
        texts.append(f"of losing more than the margin p{NO_BREAK}{p_value(row['p_no_loss'])}")
    if row["verdict"] == "negligible":
        within = f"of being within the margin{_where_negligible(row)}"
        texts.append(f"{within} p{NO_BREAK}{p_value(row['p_negligible_holm'])}")
    text = "; ".join(texts)
    return f"{text[0].upper()}{text[1:]}."


def _where_negligible(row: dict) -> str:
    """Return on how many data sets the difference of a negligible claim about several is within the margin."""
    if pd.isna(row["on_at_least"]):
        return ""
    n_datasets = len(row["dataset"].split(", "))
    return f" on {on_enough(n_datasets - int(row['on_at_least']) + 1, n_datasets)}"


def _negligible_with(row: dict) -> str:
    """Return with how many replicates a true difference of 0 is called negligible; nothing of models made elsewhere."""
    if row["n_replicates"] == 1 or pd.isna(row["low"]):
        return ""
    if pd.isna(row["n_replicates_negligible"]):
        return " (at how many replicates a true 0 is called negligible is not known)"
    needed = unit_text(row, int(row["n_replicates_negligible"]))
    return f" (a true 0 is called negligible with {needed}, 80{NO_BREAK}% power)"


def _needed(row: dict) -> str:
    """Return how many replicates are required where the verdict is inconclusive, or what else is open."""
    if row["units"] == "networks" or pd.isna(row["low"]):
        return ""
    if row["n_replicates"] == 1:
        if row["verdict"] != "inconclusive":
            return " This holds for these two checkpoints, not for their training methods."
        return " One replicate shows no variation between trainings."
    if row["verdict"] != "inconclusive":
        return ""
    return f"{_of_few(row)} {_required(row)}"


def _of_few(row: dict) -> str:
    """Return that so few replicates decide nothing, whatever p is."""
    is_open = row["units"] == "replicates" and row["verdict"] == "inconclusive"
    few = 1 < row["n_replicates"] < LEAST_REPLICATES  # a single one has a sentence of its own
    return " Fewer than five replicates decide nothing." if is_open and few else ""


def _required(row: dict) -> str:
    """Return with how many replicates a difference as large as this would be found."""
    if pd.isna(row["n_replicates_needed"]):
        return "From this difference and spread the number of replicates required cannot be estimated."
    needed = counted(int(row["n_replicates_needed"]), "replicate")
    return f"At this difference and spread about {needed} are required."


def failed_checks(verdicts: list[Verdict]) -> str | None:
    """Return which manipulation checks of a study are not supported, in a sentence; None where all are."""
    failed = [
        f"{each.hypothesis} ({each.kind})" for each in verdicts if each.role == "check" and each.kind != "supported"
    ]
    if not failed:
        return None
    return f"This study supports no conclusion: a known effect was not found by {listed(failed)}."


def headline(metrics: pd.DataFrame, hypotheses: pd.DataFrame, registered: bool) -> str:
    """Return one sentence on what was measured, its counts taken from the tables.

    metrics: with the column `arm`. registered: whether a registration shows that the claims were written down before.
    """
    if metrics.empty:
        return "Nothing has been measured yet."
    groups = metrics.loc[metrics["role"] == "group", "name"].nunique()
    models = metrics.loc[metrics["role"] != "group", "name"].nunique()
    members = counted(models, "model") + (f" and {counted(groups, 'group')} of models" if groups else "")
    datasets = listed(list(dict.fromkeys(metrics["dataset"])))
    n_replicates = sorted(metrics.groupby(["dataset", "arm"])["replicate"].nunique().unique())
    replicates = (
        counted(n_replicates[-1], "replicate")
        if len(n_replicates) == 1
        else f"{n_replicates[0]} to {counted(n_replicates[-1], 'replicate')}"
    )
    text = f"{members}, {counted(metrics['arm'].nunique(), 'arm')} in all, {replicates} each, on {datasets}"
    claims = hypotheses[hypotheses["role"] != "check"]
    verdicts = claims["verdict"].str.partition(",")[0].value_counts() if len(claims) else {}
    found = listed([f"{verdicts[verdict]} {verdict}" for verdict in SYMBOLS if verdict in verdicts])
    ending = f"; {_registration(claims, registered)}: {found}."
    return f"{text}: {counted(len(metrics), 'number')}{ending if found else '.'}"


def _registration(hypotheses: pd.DataFrame, registered: bool) -> str:
    n = int(hypotheses["registered"].sum()) if registered else 0
    if n == len(hypotheses):
        return counted(n, "pre-registered hypothesis", "pre-registered hypotheses")
    return f"{counted(len(hypotheses), 'hypothesis', 'hypotheses')}, {n or 'none'} of them pre-registered"
