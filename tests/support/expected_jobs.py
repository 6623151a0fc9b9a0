"""Sets of the jobs of the tests' study, by what they belong to, for tests/support/edits.py.

A job is RULE or RULE:WILDCARD/WILDCARD as in `copies.jobs_of`, the data set of the tests' study left out.
"""

from copies import STUDY, read_yaml

from selfdoubt.runtime.digests import digest
from selfdoubt.settings.study import load_study

REPLICATES = (1, 2, 3)
STUDENTS = ("kd", "kd-no-labels")
MODELS = ("teacher", "ce", "label-smoothing", *STUDENTS, "cutmix", "mask-cutmix", "robust")
FROM_CE = ("ce", "robust")  # what starts from its weights, and itself
TRIO = ("ce", "kd", "cutmix")
ENHANCERS = ("odin", "anti-adversary", "random-sign")
COMBINED, BY_MESSAGES = ("mean-probability", "mean-logit"), ("persuasion", "persuasion-placebo")
PROTOCOLS = COMBINED + BY_MESSAGES
SCORES = ("energy", "entropy", "gini", "logit_margin", "margin", "max_logit", "msp", "msp_ts", "pnorm")
CORRUPTIONS = ("gaussian-noise", "gaussian-blur", "contrast", "rotation")
REPORT = {"render_report"}
COMPARED = {"compare_arms", "test_hypotheses"}  # no jobs of arms that are in no study
VERDICTS = COMPARED | REPORT
ENHANCEMENTS = {"collect_enhancements"} | REPORT
TABLES = {"collect_metrics", "collect_costs", "measure_gaps"} | VERDICTS
GROUPS = {"compare_groups"}
FIDELITY = {"measure_fidelity"}
DIGESTS = {"digest_data"}
RULES_OF_TABLES = ("collect_metrics", "collect_costs", "collect_enhancements", "compare_groups", "measure_gaps")
RULES_OF_TABLES += ("measure_fidelity", "digest_data")
ACCURACY = {"plot_figure:auroc-accuracy"}
EXAMPLES = {"plot_figure:enhancement-examples"}
GALLERY = {"plot_figure:mask-gallery"}
CURVES = {  # figure -> the models that it shows
    "plot_figure:risk-coverage": {"ce", "teacher", "label-smoothing", *STUDENTS},
    "plot_figure:reliability": {"ce", "label-smoothing", "kd"},
    "plot_figure:risk-coverage-enhancers": {"ce"},
    "plot_figure:risk-coverage-cutmix": {"cutmix", "ce", "mask-cutmix"},
}
MATRIX = {"plot_figure:persuasion-matrix"}
LOOKS = {*CURVES, *ACCURACY}
MASKS = {"segment_images:unet/1", "evaluate_masks:unet/1", *GALLERY}


def replicates(rule: str, *names: str, of=REPLICATES) -> set[str]:
    """The jobs of a rule for each name and replicate; a name may end in a variant."""
    return {f"{rule}:{'/'.join([name.split('/')[0], str(s), *name.split('/')[1:]])}" for name in names for s in of}


def trained(*models: str, of=REPLICATES) -> set[str]:
    """The training of models of the tests' study."""
    by = dict.fromkeys(STUDENTS, "distill_student") | dict.fromkeys(("cutmix", "mask-cutmix"), "train_augmented")
    by |= {"teacher": "train_teacher", "robust": "train_robust"}
    return set().union(*(replicates(by.get(model, "train_baseline"), model, of=of) for model in models))


def shown(*models: str) -> set[str]:
    """The figures that show any of the models' predictions."""
    return {figure for figure, arms in CURVES.items() if arms & {*models}}


def measured(*arms: str, of=REPLICATES) -> set[str]:
    """The numbers of arms, and every table."""
    return replicates("compute_metrics", *arms, of=of) | TABLES | ACCURACY


def uncompared(*arms: str, before: tuple[str, ...] = ()) -> set[str]:
    """The numbers of new arms that are in no study, and the figures of models that come after them: their look is their
    place among all arms.
    """
    return (measured(*arms) | shown(*before)) - COMPARED


def enhanced(*enhancers: str, of=REPLICATES) -> set[str]:
    """What enhancers do to ce, with the figures that show it."""
    arms = [f"ce/{enhancer}" for enhancer in enhancers]
    figures = {"plot_figure:risk-coverage-enhancers"} | (EXAMPLES if 1 in of else set())
    return replicates("enhance_images", *arms, of=of) | measured(*arms, of=of) | figures | ENHANCEMENTS


def decided(*protocols: str, of=REPLICATES) -> set[str]:
    """What the group decides, with its matrix."""
    by = {protocol: "communicate" if "persuasion" in protocol else "combine_members" for protocol in protocols}
    jobs = set().union(*(replicates(rule, f"trio/{protocol}", of=of) for protocol, rule in by.items()))
    matrix = MATRIX if "persuasion" in protocols else set()
    return jobs | measured(*(f"trio/{protocol}" for protocol in protocols), of=of) | matrix | GROUPS


def predicted(*models: str, of=REPLICATES) -> set[str]:
    """The clean predictions of models, and what reads them."""
    jobs = (
        replicates("predict", *models, of=of)
        | measured(*(f"{model}/clean" for model in models), of=of)
        | shown(*models)
    )
    jobs |= FIDELITY if {*models} & {"teacher", "ce", *STUDENTS} else set()
    return jobs | (decided(*COMBINED, of=of) if {*models} & {*TRIO} else set())


def featured(model: str) -> set[str]:
    """A model's clean predictions by way of its features, and what reads them."""
    rules = ("predict_before_scores", "extract_features", "score_features")
    return predicted(model) - replicates("predict", model) | set().union(*(replicates(r, model) for r in rules))


def renewed(*models: str, of=REPLICATES) -> set[str]:
    """All that follows from new checkpoints of models, but for what learns from them."""
    jobs = predicted(*models, of=of)
    jobs |= decided(*BY_MESSAGES, of=of) if {*models} & {*TRIO} else set()
    return jobs | (enhanced(*ENHANCERS, of=of) if "ce" in models else set())


def stored(of=REPLICATES, teacher="teacher", **recipe) -> set[str]:
    """The teacher's logits of the one stream of views that both students see, by the recipe as it is changed."""
    config = read_yaml(STUDY)
    config["recipes"]["short"].update(recipe)
    views = digest(load_study(config).views("kd"), [])
    return {f"precompute_soft_labels:{teacher}/views-{views}/{replicate}" for replicate in of}


FROM_TRAINING = trained(*MODELS) | stored() | {"train_segmenter:unet/1"} | MASKS | renewed(*MODELS)
ROBUST = (trained("robust") | renewed("robust")) - COMPARED  # it is in no study
SHIFTED = {f"corrupt_images:{corruption}" for corruption in CORRUPTIONS}
EVERYTHING = {"prepare_dataset", "prepare_ood:digits"} | DIGESTS | SHIFTED | FROM_TRAINING
FROM_TEACHER = trained("teacher", *STUDENTS, "mask-cutmix") | stored() | {"train_segmenter:unet/1"} | MASKS
FROM_TEACHER |= renewed("teacher", *STUDENTS, "mask-cutmix")
FROM_SEGMENTER = {"train_segmenter:unet/1"} | MASKS | trained("mask-cutmix") | renewed("mask-cutmix")
SEGMENTERS = set().union(
    *(replicates(rule, "unet") for rule in ("train_segmenter", "segment_images", "evaluate_masks"))
)  # where each replicate has one
PLOTS = {*LOOKS, *EXAMPLES, *GALLERY, *MATRIX}
ARMS = [f"{model}/clean" for model in MODELS]
ARMS += [f"ce/{enhancer}" for enhancer in ENHANCERS] + [f"trio/{protocol}" for protocol in PROTOCOLS]


AFTER = {  # rule -> its jobs, and all that reads what they make
    "fetch_file": set(),
    "prepare_dataset": EVERYTHING,
    "prepare_ood": {"prepare_ood:digits"} | DIGESTS | renewed(*MODELS),
    "corrupt_images": SHIFTED | predicted(*MODELS),
    "prepare_shifted": set(),
    "train_teacher": FROM_TEACHER,
    "train_baseline": trained(*FROM_CE, "label-smoothing") | renewed(*FROM_CE, "label-smoothing"),
    "precompute_soft_labels": stored() | trained(*STUDENTS) | renewed(*STUDENTS),
    "distill_student": trained(*STUDENTS) | renewed(*STUDENTS),
    "train_augmented": trained("cutmix", "mask-cutmix") | renewed("cutmix", "mask-cutmix"),
    "train_robust": ROBUST,
    "import_model": set(),
    "read_predictions": set(),
    "train_segmenter": FROM_SEGMENTER,
    "segment_images": FROM_SEGMENTER - {"train_segmenter:unet/1"},
    "evaluate_masks": {"evaluate_masks:unet/1"} | REPORT,
    "measure_mixing": set(),
    "show_mixing": set(),
    "register": set(),
    "measure_information": set(),  # which the tests' study does not ask for
    "choose_pictures": set(),  # which the tests' study does not ask for
    "compute_guarantees": set(),  # which the tests' study does not ask for
    "enhance_images": enhanced(*ENHANCERS),
    "combine_members": decided(*COMBINED),
    "communicate": decided(*BY_MESSAGES),
    "predict": predicted(*MODELS),
    "predict_before_scores": set(),  # of models with `features: true`, which the tests' study has none of
    "extract_features": set(),
    "score_features": set(),
    "compute_metrics": measured(*ARMS),
    "compare_arms": VERDICTS,
    "test_hypotheses": {"test_hypotheses"} | REPORT,
    "render_report": REPORT,
} | {rule: {rule} | REPORT for rule in RULES_OF_TABLES}
AFTER["plot_figure"] = PLOTS | REPORT


BY_METHOD = {  # module that jobs load by name and the tests' study names -> the jobs that load it, and all that follows
    "data/sources/embedded.py": EVERYTHING,
    "data/sources/sklearn.py": AFTER["prepare_ood"],
    "models/families/convnet.py": FROM_TRAINING,
    "distillation/losses/kd.py": AFTER["distill_student"],
    "mixing/mixer.py": AFTER["train_augmented"],
    "mixing/methods/cutmix.py": trained("cutmix") | renewed("cutmix"),
    "mixing/methods/mask_cutmix.py": trained("mask-cutmix") | renewed("mask-cutmix"),
    "training/techniques/adversarial.py": ROBUST,
    "communication/protocols/persuasion.py": decided(*BY_MESSAGES),
    "communication/messages/gradient.py": decided("persuasion"),
    "communication/messages/random_sign.py": decided("persuasion-placebo"),
} | {
    f"data/corruptions/{name.replace('-', '_')}.py": {f"corrupt_images:{name}"} | predicted(*MODELS)
    for name in CORRUPTIONS
}
BY_METHOD |= {f"enhancers/methods/{name.replace('-', '_')}.py": enhanced(name) for name in ENHANCERS}
BY_METHOD |= {f"communication/protocols/{name.replace('-', '_')}.py": decided(name) for name in COMBINED}
BY_METHOD |= {
    f"figures/kinds/{kind}.py": {f"plot_figure:{figure}" for figure in figures} | REPORT
    for kind, figures in {
        "risk_coverage": ("risk-coverage", "risk-coverage-enhancers", "risk-coverage-cutmix"),
        "reliability": ("reliability",),
        "auroc_accuracy": ("auroc-accuracy",),
        "enhancement_examples": ("enhancement-examples",),
        "mask_gallery": ("mask-gallery",),
        "persuasion_matrix": ("persuasion-matrix",),
    }.items()
}

RANKED_BY_MSP = {figure for figure in PLOTS if "risk-coverage" in figure} | VERDICTS  # the only score that they name
BY_METHOD |= {f"evaluation/scores/{name}.py": measured(*ARMS) for name in SCORES}
BY_METHOD["evaluation/scores/msp.py"] |= RANKED_BY_MSP


def after(rules: set[str], methods: set[str] = frozenset()) -> set[str]:
    """What runs where the code of rules and of methods has changed."""
    return set().union(*(AFTER[rule] for rule in rules), *(BY_METHOD.get(method, ()) for method in methods))


def on_second(jobs: set[str]) -> set[str]:
    """The same jobs for the data set `second`; those that have none stay away."""
    of_all = TABLES | ENHANCEMENTS | GROUPS | FIDELITY | DIGESTS | {job for job in jobs if job.startswith("plot_")}
    parts = [job.partition(":") for job in jobs - of_all]
    return {f"{rule}:@second" + (f"/{keys}" if keys else "") for rule, _, keys in parts}
