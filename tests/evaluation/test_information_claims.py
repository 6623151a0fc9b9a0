"""Claims about gains: one difference a replicate from the information test, and verdicts as of any claim."""

from types import SimpleNamespace

import pytest

from selfdoubt.evaluation.hypotheses import decide
from selfdoubt.evaluation.information_claims import compare_information

KEYS = ("replicate", "n", "without", "difference", "image_variance", "shared", "reason")


def information(*differences: float | None, image: float = 1e-4, shared: float = 1e-5) -> list[dict]:
    known = dict.fromkeys(KEYS) | {"group": "trio", "n": 300}
    others = [{"protocol": "other"}, {"protocol": "persuasion", "group": "pair"}]
    others = [known | {"replicate": 1, "difference": -1.0, "without": 0.6} | each for each in others]
    rows = [known | {"protocol": "persuasion", "replicate": i, "difference": d} for i, d in enumerate(differences)]
    rows = [row | {"reason": "too few" if row["difference"] is None else None} for row in rows]
    over_all = {"protocol": "persuasion", "without": 0.6, "image_variance": image, "shared": shared}
    return [*others, *rows, known | over_all]


def decided(*tables: list[dict], overlap=0.0, claims=({},), pretrained=(), n_replicates=5, **changes) -> dict:
    claim = {"name": "informed", "study": "a", "role": "secondary", "registered": True, "units": "replicates"}
    claim |= {"statement": "So.", "on_at_least": None, "pairs": [["trio/persuasion", "members-predictions"]]}
    claim |= {"metric": "contested-nll", "score": "none", "split": "test", "margin": 0.005, "datasets": None}
    claims = [SimpleNamespace(**claim | changes | each) for each in claims]
    studies = [SimpleNamespace(name="a", reference="ce", arms=[], alpha=0.05, replicates=range(n_replicates))]
    names = [f"d{i}" for i in range(len(tables))]
    contrasts = []
    for name, table in zip(names, tables, strict=True):
        contrasts += compare_information(
            table, SimpleNamespace(dataset=name, overlap=overlap, information_claims=claims, studies=studies)
        )
    settings = {"claims": claims, "datasets": names, "comparisons": [], "pretrained": pretrained, "upper_bounds": []}
    found = decide(contrasts, SimpleNamespace(**settings, studies=studies))
    assert {row["hypothesis"] for row in found["comparisons"]} == {each.name for each in claims}
    return found["hypotheses"][0]


CLEAR = information(-0.04, -0.03, -0.05, -0.04, -0.04)
SLIGHT = information(-0.02, -0.01, -0.03, -0.02, -0.005)
OPEN = information(-0.02, 0.02, -0.01, 0.01, 0.005)
NOTHING = information(0.001, -0.001, 0.0, 0.0005, -0.0005, image=1e-6, shared=1e-7)


def test_gains_that_lower_the_nll_are_supported_by_hand():
    row = decided(CLEAR)
    assert row["difference"] == pytest.approx(-0.04) and row["verdict"] == "supported" and row["margin"] == 0.005
    # variance of five is 5e-5: 1e-5 of the mean; the images add 1e-5 to all alike, and alone give
    # 1e-5 + (1e-4 - 1e-5) / 5 = 2.8e-5, which is the larger
    assert row["standard_error"] == pytest.approx(2.8e-5**0.5)


def test_gains_that_say_nothing_are_negligible_and_those_that_mislead_refuted():
    assert decided(NOTHING)["verdict"] == "negligible"
    assert decided(NOTHING, margin=0.0005)["verdict"] == "inconclusive"
    assert decided(information(0.04, 0.03, 0.05, 0.04, 0.04))["verdict"] == "refuted"


def test_two_of_three_data_sets_are_required():
    assert decided(CLEAR, CLEAR, NOTHING, on_at_least=2)["verdict"] == "supported"
    assert decided(CLEAR, NOTHING, NOTHING, on_at_least=2)["verdict"] == "negligible"
    for tables in ([CLEAR, OPEN, OPEN], [OPEN, OPEN, NOTHING], [CLEAR, OPEN, NOTHING]):
        assert decided(*tables, on_at_least=2)["verdict"] == "inconclusive"
    alone, of_three = (decided(*[SLIGHT] * n, on_at_least=2 if n > 1 else None) for n in (1, 3))
    assert of_three["p_holm"] == pytest.approx(2 * alone["p_holm"])  # the second smallest of three, twice


def test_overlapping_draws_add_to_the_variance():
    assert decided(CLEAR, overlap=0.3)["standard_error"] > decided(CLEAR)["standard_error"]


def test_gains_that_change_nothing_are_identical_to_none():
    row = decided(information(*[0.0] * 5, image=0.0, shared=0.0))
    assert row["verdict"] == "identical" and row["p_holm"] is None
    assert decided(information(*[0.01] * 5, image=0.0, shared=0.0))["verdict"] == "inconclusive"


def test_it_is_in_one_family_with_the_other_claims():
    two = [{"name": "informed"}, {"name": "again"}]
    assert decided(SLIGHT, claims=two)["p_holm"] == pytest.approx(2 * decided(SLIGHT)["p_holm"])


@pytest.mark.parametrize(
    "table", [information(*[-0.04] * 4), information(-0.04, None, -0.04, -0.04, -0.04), information(*[None] * 5)[:-1]]
)
def test_what_decides_nothing_is_inconclusive(table):
    assert decided(table)["verdict"] == "inconclusive"


def test_replicates_are_those_of_the_studys_look():
    grown = information(-0.04, -0.03, -0.05, -0.04, -0.04, 0.9, 0.9)  # another study has come to seven
    assert decided(grown, n_replicates=5) == decided(CLEAR) != decided(grown, n_replicates=7)


def test_of_models_trained_elsewhere_one_replicate_decides():
    alone = information(-0.05, image=1e-6, shared=1e-6)
    known = ["trio/persuasion", "members-predictions"]
    assert decided(alone)["verdict"] == "inconclusive"
    assert decided(alone, pretrained=known)["verdict"] == "supported"


def test_without_claims_nothing_is_read():
    assert compare_information(CLEAR, SimpleNamespace(dataset="d0", overlap=0.0)) == []
