"""Tables of a run in LaTeX: the numbers of the Parquet, labels escaped, and one line for whatever is absent."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from copies import ROOT
from small_report import COMPARISON, row
from small_runs import CLAIM, NUMBERS, write_run

from latex_table import TABLES
from selfdoubt.report.runs import latex
from selfdoubt.report.runs.reading import read_run
from selfdoubt.runtime.errors import UserError

SECOND = [line | {"dataset": "games"} for line in NUMBERS]


def asked(**given) -> SimpleNamespace:
    """The options of the command."""
    keys = ("study", "dataset", "arms", "metrics", "split", "score")
    return SimpleNamespace(**dict.fromkeys(keys) | given)


def lines(text: str) -> list[list[str]]:
    """The cells of each row of a table."""
    body = re.search(r"\\midrule\n(.*)\n\\bottomrule", text, re.DOTALL)[1]
    return [line.removesuffix(r" \\").split(" & ") for line in body.split("\n")]


def test_arms_have_mean_and_deviation_of_the_table_by_their_labels(tmp_path):
    run = read_run(write_run(tmp_path / "a"))
    text = latex.of_arms(run, asked(metrics=["accuracy", "aurc"]))
    # ce: .91, .92, .93 and .02; kd: .95, .96, .97 and .016
    assert lines(text.replace(r"KD \& co", "KD+co")) == [
        ["CE", r"0.9200 $\pm$~0.0100", r"20.00 $\pm$~0.00"],
        [r"KD+co\_1", r"0.9600 $\pm$~0.0100", r"16.00 $\pm$~0.00"],
    ]
    head = text.partition("\\midrule")[0]
    assert r"\toprule" in head and r"AURC $\times$10$^{3}$~$\downarrow$" in head and r"accuracy~$\uparrow$" in head
    assert "% mean ± standard deviation over 3 replicates; test, score msp" in head


def test_arms_stand_in_the_order_that_is_asked_for_and_a_study_has_its_own(tmp_path):
    run = read_run(write_run(tmp_path / "a", metrics=[*NUMBERS, row("x", 1, "aurc", 0.5) | {"warning": None}]))
    first = [line[0] for line in lines(latex.of_arms(run, asked(arms=["x", "ce"], metrics=["aurc"])))]
    assert first == ["x", "CE"]
    assert "x" not in [line[0] for line in lines(latex.of_arms(run, asked(study="distillation", metrics=["aurc"])))]


def test_several_data_sets_have_a_column_or_one_is_asked_for(tmp_path):
    run = read_run(write_run(tmp_path / "a", metrics=[*NUMBERS, *SECOND]))
    assert [line[0] for line in lines(latex.of_arms(run, asked(metrics=["aurc"])))] == ["toys"] * 2 + ["games"] * 2
    assert len(lines(latex.of_arms(run, asked(dataset="games")))) == 2


def test_a_number_that_does_not_exist_is_a_dash_and_its_reason_a_comment(tmp_path):
    rows = [row("ce", 1, "auroc", None) | {"warning": None}]
    text = latex.of_arms(read_run(write_run(tmp_path / "a", metrics=rows)), asked())
    assert lines(text) == [["CE", "--"]] and "% no auroc of ce: no errors" in text


def test_an_upper_bound_is_marked(tmp_path):
    enhancers = {"oracle": {"method": "oracle", "models": ["ce"], "epsilon_255": [1]}}
    rows = [row("ce/oracle", 1, "aurc", 0.1) | {"warning": None}]
    run = read_run(write_run(tmp_path / "a", metrics=rows, enhancers=enhancers))
    assert lines(latex.of_arms(run, asked()))[0][0] == "ce/oracle (upper bound)"
    rows, masked = [row("copy", 1, "aurc", 0.1) | {"warning": None}], {"copy": {"masks": "given"}}
    of_scenes = {"augmented": masked, "datasets": {"toys": {"mask_truth": "given"}}}
    run = read_run(write_run(tmp_path / "b", metrics=rows, **of_scenes))
    assert lines(latex.of_arms(run, asked()))[0][0] == "copy (upper bound)"


def test_differences_have_interval_and_p_and_leave_claims_out(tmp_path):
    claimed = COMPARISON | {"metric": "nll", "hypothesis": "kd-ranks-better"}
    run = read_run(write_run(tmp_path / "a", comparisons=[COMPARISON, claimed]))
    assert lines(latex.of_differences(run, asked()).replace(r" \& ", "+")) == [
        [r"KD+co\_1 $-$ CE", r"AURC, msp ($\times$10$^{-3}$)", "$-$4.00", "[$-$6.00, +1.00]", "0.08"]
    ]


def test_comparisons_are_all_those_of_claims_of_what_must_not_be_lost_and_what_repeats_them_included(tmp_path):
    of_claim = {"hypothesis": "kd-ranks-better"}
    rows = [
        COMPARISON,
        COMPARISON | of_claim | {"than": "teacher", "p_holm": None},
        COMPARISON | of_claim | {"metric": "accuracy", "score": "none", "difference": -0.05},
        COMPARISON | of_claim | {"metric": "augrc", "repeats": True},
    ]
    run = read_run(write_run(tmp_path / "a", comparisons=rows))
    found = lines(latex.of_comparisons(run, asked()).replace(r" \& ", "+"))
    assert [(line[0], line[2], *line[4:]) for line in found] == [
        (r"KD+co\_1 $-$ CE", "$-$4.00", "0.04", "0.08", ""),
        (r"KD+co\_1 $-$ teacher", "$-$4.00", "0.04", "--", "kd-ranks-better"),
        (r"KD+co\_1 $-$ CE", "$-$5.00", "0.04", "0.08", "kd-ranks-better"),
        (r"KD+co\_1 $-$ CE", "$-$4.00", "0.04", "0.08", "kd-ranks-better (repeats)"),
    ]


COMPARED = [
    {"better": better, "metric": metric, "score": score, "split": split}
    for better, metric, score, split in (
        ("kd", "aurc", "msp", "test"),
        ("kd", "accuracy", "none", "test"),
        ("kd", "aurc", "msp", "val"),
        ("kd", "aurc", "margin", "test"),
        ("kd2, kd3", "aurc", "msp", "test"),
    )
]


@pytest.mark.parametrize("table", ["differences", "verdicts", "comparisons"])
@pytest.mark.parametrize(
    ("given", "places"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"split": "val"}, [2]),
        ({"score": "margin"}, [1, 3]),  # accuracy takes no score
        ({"split": "test", "metrics": ["accuracy", "aurc"]}, [1, 0, 3, 4]),
        ({"arms": ["kd3", "kd"], "metrics": ["aurc"], "score": "msp"}, [4, 0, 2]),
    ],
)
def test_options_choose_comparisons_and_claims_in_the_order_that_is_given(tmp_path, table, given, places):
    rows = [COMPARISON | own | {"difference": place / 1000} for place, own in enumerate(COMPARED)]
    claims = [CLAIM | own | {"difference": place / 1000} for place, own in enumerate(COMPARED)]
    run = read_run(write_run(tmp_path / "a", comparisons=rows, hypotheses=claims))
    made = TABLES[table](run, asked(**given))
    shown = [line[line.index(next(cell for cell in line if cell.startswith("["))) - 1] for line in lines(made)]
    units = {1: "+0.10"}  # of accuracy in points, of AURC in thousandths
    assert shown == [units.get(place, f"+{place}.00" if place else "0.00") for place in places]


def test_verdicts_have_statement_arms_difference_interval_and_verdict(tmp_path):
    claims = [CLAIM, CLAIM | {"than": "ce, teacher", "n_components": 2}]
    run = read_run(write_run(tmp_path / "a", hypotheses=claims))
    text = latex.of_verdicts(run, asked(study="distillation"))
    line, of_two = lines(text.replace(r" \& ", "+"))
    assert line[:2] == ["A student has a lower AURC.", r"KD+co\_1 $-$ CE"]
    assert line[3:] == ["$-$4.00", "[$-$6.00, +1.00]", "0.08", "inconclusive"]
    assert of_two[1] == r"KD+co\_1 $-$ CE and teacher"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("50 % of a_b & c#1 {x}", r"50 \% of a\_b \& c\#1 \{x\}"),
        ("KD, τ = 4", r"KD, $\tau$ = 4"),
        ("a\\b^c~d", r"a\textbackslash{}b\textasciicircum{}c\textasciitilde{}d"),
        ("1×10⁻³", r"1$\times$10$^{-3}$"),
        ("p < 0.001", r"p $<$ 0.001"),
        ("naïve – ε", r"naïve -- $\epsilon$"),
    ],
)
def test_letters_that_mean_something_are_escaped(text, written):
    assert latex.tex(text) == written


@pytest.mark.parametrize(
    ("table", "given", "words"),
    [
        ("arms", {"arms": ["kdd"]}, "'kdd' is not an arm of this run; did you mean 'kd'?"),
        ("arms", {"metrics": ["aucr"]}, "'aucr' is not a metric on test by msp; did you mean 'aurc'?"),
        ("arms", {"split": "tst"}, "'tst' is not a split here; did you mean 'test'?"),
        ("arms", {"score": "energy"}, "'energy' is not a score here"),
        ("arms", {"dataset": "toy"}, "'toy' is not a data set here; did you mean 'toys'?"),
        ("arms", {"study": "distil"}, "'distil' is not a study here; did you mean 'distillation'?"),
        ("verdicts", {"study": "other"}, "'other' is not a study here"),
        *(
            (table, *case)
            for table in ("differences", "verdicts", "comparisons")
            for case in (
                ({"metrics": ["nll"]}, "'nll' is not a metric by which arms are compared"),
                ({"arms": ["kdd"]}, "'kdd' is not an arm that is compared; did you mean 'kd'?"),
                ({"split": "tst"}, "'tst' is not a split here; did you mean 'test'?"),
                ({"score": "energy"}, "'energy' is not a score here"),
                ({"dataset": "toy"}, "'toy' is not a data set here; did you mean 'toys'?"),
            )
        ),
    ],
)
def test_what_is_absent_is_named_in_one_line(tmp_path, table, given, words):
    run = read_run(write_run(tmp_path / "a"))
    with pytest.raises(UserError, match=re.escape(words)) as fault:
        TABLES[table](run, asked(**given))
    assert "\n" not in str(fault.value)


def test_a_folder_that_is_no_run_and_a_run_without_a_table_are_named(tmp_path):
    with pytest.raises(UserError, match="no such folder; give that of a run"):
        read_run(tmp_path / "gone")
    with pytest.raises(UserError, match=r"config\.yaml: no such file; run snakemake"):
        read_run(tmp_path)
    run = write_run(tmp_path / "a")
    (run / "tables/metrics.parquet").unlink()
    with pytest.raises(UserError, match=r"metrics\.parquet: no such file"):
        latex.of_arms(read_run(run), asked())
    (run / "report/config.yaml").write_text("[")
    with pytest.raises(UserError, match="is no config; delete it"):
        read_run(run)


def test_the_command_prints_or_writes_and_ends_with_one_line_at_a_fault(tmp_path):
    def called(*words: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(ROOT / "workflow_scripts/latex_table.py"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    folder, written = str(write_run(tmp_path / "a")), tmp_path / "out/table.tex"
    assert called(folder, "verdicts", "--output", str(written)).stdout == ""
    assert written.read_text().endswith("\\end{tabular}\n")
    fault = called(folder, "--arms", "gone")
    assert (fault.returncode, fault.stderr.count("\n")) == (1, 1) and fault.stderr.startswith("latex_table: 'gone'")
