"""Edits of a finished study, and the exact jobs that each makes run again: the source of docs/invalidation.md."""

from edits_of_code import edits_of_modules
from edits_of_files import OF_INSTALLATION, OF_RESULTS
from edits_of_methods import EDITS_IN_USE, EDITS_OF_METHODS, NEW_FIGURE, STYLE
from edits_of_models import OF_MODELS
from expected_jobs import (
    ACCURACY,
    ARMS,
    COMPARED,
    DIGESTS,
    ENHANCEMENTS,
    EVERYTHING,
    EXAMPLES,
    FIDELITY,
    FROM_SEGMENTER,
    FROM_TRAINING,
    GALLERY,
    GROUPS,
    LOOKS,
    MATRIX,
    MODELS,
    PROTOCOLS,
    REPORT,
    SEGMENTERS,
    SHIFTED,
    TABLES,
    VERDICTS,
    decided,
    enhanced,
    featured,
    measured,
    on_second,
    predicted,
    renewed,
    replicates,
    shown,
    uncompared,
)
from ways_of_editing import (
    Edit,
    config,
    defaults_otherwise,
    delete,
    other_image,
    other_orders,
    put,
    remove_enhancer,
    remove_group,
    rename_model,
    rename_recipe,
    rename_study,
    renamed,
    several,
    swap,
    text,
    touch,
    with_second_dataset,
    without_second_dataset,
)

NEW_CLAIM = {"study": "distillation", "statement": "So.", "better": "kd", "than": "ce", "split": "test"}

MIXED = {"ood_mixed_percent": [50]}
GUARANTEES = {"scores": ["msp"], "target_risks": [0.1], "delta": 0.05, "n_resplits": 9, "alphas": [0.1]}
INFORMATION = {"penalty": [0.1], "n_folds": 2, "margin": 0.005}
INFORMED = {"informed": {"study": "communication", "statement": "Messages inform.", "protocol": "trio/persuasion"}}
GUARANTEES |= {"raps_penalty": 0.1, "raps_free_classes": 2}

EDITS: dict[str, list[Edit]] = {
    "What has no meaning": [
        Edit("nothing", lambda copy: None, set()),
        Edit(
            "a comment, a blank line, a docstring in the library",
            several(
                text(
                    "workflow_scripts/selfdoubt/training/loop.py",
                    "\n\n\nclass Training",
                    "\n\n\n# a remark\n\n\nclass Training",
                ),
                text(
                    "workflow_scripts/selfdoubt/training/losses.py", "(Hinton, Vinyals & Dean 2015)", "(Hinton et al.)"
                ),
            ),
            set(),
        ),
        Edit("a comment in the config", text("config.yaml", " # random horizontal flip", ""), set()),
        Edit("`temperature: 4` as `4.0`", text("config.yaml", "temperature: 4,", "temperature: 4.0,"), set()),
        Edit("a default left out, or written out", config(defaults_otherwise), set()),
        Edit(
            "the order of sections and of replicates",
            several(
                config(lambda c: c.update(students=c.pop("students"), recipes=c.pop("recipes"))),
                config(lambda c: c["replicates"].reverse()),
            ),
            set(),
            "but `pretrained` models are made for the first replicate",
        ),
        Edit("`replicates: [3, 2, 1]` as `3`", config(lambda c: c.update(replicates=3)), set()),
        Edit(
            "`priority`, `mem_mb` of a rule",
            several(
                text("rules/training.smk", "priority: 10", "priority: 11"),
                text("rules/training.smk", "mem_mb=recipe_mb", "mem_mb=3000"),
            ),
            set(),
        ),
        Edit("the profile", text("profiles/default/config.yaml", "show-failed-logs: true", ""), set()),
        Edit("every file touched", touch, set(), "contents are compared, not times"),
        Edit("logs and benchmarks deleted", delete("results/*/logs/**/*", "results/*/benchmarks/**/*"), set()),
    ],
    "Names and orders": [
        Edit("the order of a list that means a set", config(other_orders), REPORT, "the page keeps the order"),
        Edit(
            "the order of the models",
            config(lambda c: c.update(baselines=dict(reversed(c["baselines"].items())))),
            LOOKS | REPORT,
            "an arm's colour is its place among all",
        ),
        Edit("a recipe and a network renamed", config(rename_recipe), REPORT),
        Edit("a study renamed", config(rename_study), VERDICTS, "the table of hypotheses names it"),
        Edit(
            "a hypothesis renamed", config(lambda c: renamed(c["hypotheses"], "kd-ranks-better", "kd-ranks")), VERDICTS
        ),
        Edit(
            "a figure renamed",
            config(lambda c: renamed(c["figures"], "mask-gallery", "masks")),
            {"plot_figure:masks"} | REPORT,
        ),
        Edit(
            "a model renamed",
            config(rename_model),
            replicates("train_baseline", "smooth")
            | replicates("predict", "smooth")
            | measured("smooth/clean")
            | shown("label-smoothing"),
            "its name is in its files' paths; the old ones stay",
        ),
        Edit(
            "an arm's label",
            config(lambda c: c.update(labels={"kd": "KD, τ = 4"})),
            shown("kd") | ACCURACY | MATRIX | REPORT,
            "figures that show the arm, and the page",
        ),
        Edit(
            "a label of a group's arm",
            config(lambda c: c.update(labels={"trio/mean-logit": "mean"})),
            ACCURACY | REPORT,
        ),
        Edit("an entry that nothing uses", put("networks", spare={"family": "convnet", "widths": [8]}), REPORT),
    ],
    "Data": [
        Edit("an image of the data set", other_image, EVERYTHING),
        Edit("`split_seed`", put("datasets.fashion-mnist-12k", split_seed=1), EVERYTHING),
        Edit(
            "`mask_truth`",
            put("datasets.fashion-mnist-12k", mask_truth="none"),
            {"evaluate_masks:unet/1"} | GALLERY | REPORT,
        ),
        Edit(
            "fewer severities",
            put("datasets.fashion-mnist-12k.corruptions", severities=[1, 3, 5]),
            SHIFTED | predicted(*MODELS),
        ),
        Edit(
            "a new corruption",
            config(lambda c: c["datasets"]["fashion-mnist-12k"]["corruptions"]["names"].append("jpeg")),
            {"corrupt_images:jpeg"} | predicted(*MODELS),
        ),
        Edit(
            "a new OOD set",
            several(
                put("ood_sets", some={"source": "sklearn:digits", "n_images": 9}),
                config(lambda c: c["datasets"]["fashion-mnist-12k"]["ood"].append("some")),
            ),
            {"prepare_ood:some"} | DIGESTS | renewed(*MODELS),
        ),
        Edit(
            "fewer images of an OOD set",
            put("ood_sets.digits", n_images=9),
            {"prepare_ood:digits"} | DIGESTS | renewed(*MODELS),
        ),
        Edit("`overlap` of an OOD set", put("ood_sets.digits", overlap="none"), REPORT),
        Edit("`licence` of a data set", put("datasets.fashion-mnist-12k", licence="MIT, of Zalando"), REPORT),
        Edit(
            "`train_images_per_replicate`, and a segmenter for each replicate",
            several(
                put("datasets.fashion-mnist-12k", train_images_per_replicate=2000),
                put("segmenters.unet", teacher_replicate=None),
            ),
            FROM_TRAINING | SEGMENTERS,
            "prepared data stays whole",
        ),
        Edit(
            "a new data set",
            config(with_second_dataset),
            on_second(EVERYTHING)
            | {"compare_arms:@second"}
            | (TABLES - {"compare_arms"})
            | ENHANCEMENTS
            | GROUPS
            | FIDELITY
            | DIGESTS,
        ),
        Edit(
            "a data set removed",
            without_second_dataset,
            (TABLES - {"compare_arms"}) | ENHANCEMENTS | GROUPS | FIDELITY | DIGESTS,
            "tried on a copy of two; figures show the first",
        ),
    ],
    "Replicates, models, recipes": OF_MODELS,
    "Masks, enhancers, groups": [
        Edit("a segmenter's epochs", put("segmenters.unet", epochs=2), FROM_SEGMENTER),
        Edit(
            "a new enhancer",
            put("enhancers", big={"method": "random-sign", "models": ["ce"], "epsilon_255": [9]}),
            replicates("enhance_images", "ce/big") | uncompared("ce/big", before=("kd", "cutmix")) | ENHANCEMENTS,
            tried=False,
        ),
        Edit("an enhancer removed", config(remove_enhancer), TABLES | ENHANCEMENTS | LOOKS | EXAMPLES),
        Edit("one enhancer's candidates", put("enhancers.odin", temperature=[1]), enhanced("odin")),
        Edit(
            "an enhancer for one more model",
            put("enhancers.odin", models=["ce", "kd"]),
            replicates("enhance_images", "kd/odin")
            | uncompared("kd/odin", before=("kd-no-labels", "cutmix"))
            | ENHANCEMENTS,
        ),
        Edit("one protocol's `epsilon_255`", put("protocols.persuasion", epsilon_255=4), decided("persuasion")),
        Edit(
            "a new group",
            put("groups", pair={"members": ["ce", "kd"], "protocols": ["mean-probability", "persuasion"]}),
            replicates("communicate", "pair/persuasion")
            | replicates("combine_members", "pair/mean-probability")
            | uncompared("pair/persuasion", "pair/mean-probability")
            | GROUPS,
        ),
        Edit("a group removed", config(remove_group), TABLES | GROUPS | ACCURACY),
        Edit(
            "a new member of a group",
            config(lambda c: c["groups"]["trio"]["members"].append("kd-no-labels")),
            decided(*PROTOCOLS),
        ),
    ],
    "Numbers, texts, figures": [
        Edit("`ece_bins`", put("evaluation", ece_bins=10), (measured(*ARMS) - {"measure_gaps"}) | FIDELITY),
        Edit(
            "a new metric, `failure-aurc`",
            several(config(lambda c: c["evaluation"]["metrics"].append("failure-aurc")), put("evaluation", **MIXED)),
            measured(*ARMS) - COMPARED - {"measure_gaps"},
        ),
        Edit("`guarantees` asked for", put("evaluation", guarantees=GUARANTEES), {"compute_guarantees"} | REPORT),
        Edit("`information` asked for", put("evaluation", information=INFORMATION), {"measure_information"} | REPORT),
        Edit(
            "a claim about `information`, which is asked for",
            config(lambda c: c.update(information_claims=INFORMED) or c["evaluation"].update(information=INFORMATION)),
            {"measure_information", "compare_arms", "test_hypotheses"} | REPORT,
        ),
        Edit("`features` of a model", put("baselines.ce", features=True), featured("ce")),
        Edit("`mc_dropout_passes`", put("evaluation", mc_dropout_passes=4), predicted(*MODELS)),
        Edit(
            "two lists of percentages swapped",
            config(lambda c: swap(c["evaluation"], "selective_accuracies_percent", "coverages_percent")),
            measured(*ARMS) - COMPARED,
        ),
        Edit(
            "a new comparison",
            config(lambda c: c["comparisons"].append({"metric": "nll", "score": "msp", "split": "val"})),
            VERDICTS,
        ),
        Edit("a new hypothesis", put("hypotheses", more={**NEW_CLAIM, "metric": "nll", "score": "msp"}), VERDICTS),
        Edit("a hypothesis removed", config(lambda c: c["hypotheses"].popitem()), VERDICTS),
        Edit("a study's question", put("studies.distillation", question="Why?"), REPORT),
        Edit(
            "a figure's style", put("figures.risk-coverage.style", width_mm=120), {"plot_figure:risk-coverage"} | REPORT
        ),
        Edit(
            "a figure for a paper",
            put("figures.risk-coverage.style", **{"for": "paper"}),
            {"plot_figure:risk-coverage"} | REPORT,
        ),
        Edit(
            "a figure's width and height swapped",
            config(lambda c: swap(c["figures"]["mask-gallery"]["style"], "width_mm", "height_mm")),
            GALLERY | REPORT,
        ),
        Edit("a new figure", put("figures", more={**NEW_FIGURE, "style": STYLE}), {"plot_figure:more"} | REPORT),
        Edit("a figure of some arms, not all", put("figures.auroc-accuracy", arms=["ce", "kd"]), ACCURACY | REPORT),
        Edit("a figure removed", config(lambda c: c["figures"].popitem()), REPORT),
    ],
    "Methods": EDITS_OF_METHODS,
    "Methods in use": EDITS_IN_USE,
    "Code": [
        *edits_of_modules(),
        Edit(
            "the template, the style and the scripts of the page",
            several(
                text("workflow_scripts/selfdoubt/report/template.html.j2", "</body>", "<hr></body>"),
                text("workflow_scripts/selfdoubt/report/style.css", "}", ";}"),
                text("workflow_scripts/selfdoubt/report/points.js", "hidden: true", "hidden: !0"),
            ),
            REPORT,
        ),
        Edit(
            "the shell line of a rule",
            text(
                "rules/masks.smk",
                'exec python "$SELFDOUBT/evaluate_masks.py"',
                'exec python -u "$SELFDOUBT/evaluate_masks.py"',
            ),
            {"evaluate_masks:unet/1"} | REPORT,
        ),
        Edit(
            "an input function that gives the same",
            text("rules/functions/predictions.smk", "STUDY.replicates_at(key)", "[*STUDY.replicates_at(key)]"),
            set(),
        ),
    ],
    "Installation": OF_INSTALLATION,
    "Results": OF_RESULTS,
}
