"""A new method of each kind: alone it reruns nothing, in use just its own jobs. For tests/support/edits.py."""

from expected_jobs import (
    ARMS,
    COMPARED,
    ENHANCEMENTS,
    FIDELITY,
    MODELS,
    REPORT,
    decided,
    measured,
    predicted,
    replicates,
    uncompared,
)
from ways_of_editing import Edit, ask_for_newcomer, corrupt_by_newcomer, edited, join_group, new_methods, put_in, used

NEW_STUDENT = {"network": "convnet-small", "recipe": "short", "teacher": "teacher"}
NEW_STUDENT |= {"loss": {"method": "kd", "temperature": 2, "alpha": 0.5}}
NEW_FIGURE = {"kind": "mask-gallery", "study": "mask-cutmix", "segmenter": "unet", "n_images": 4}
STYLE = {"width_mm": 100, "height_mm": 60}
NEWCOMER = {"method": "newcomer"}
NEW_AUGMENTED = {"network": "convnet-small", "recipe": "short"}
NEW_AUGMENTED |= {"mixing": NEWCOMER | {"probability": 0.5, "beta": 1.0}}
NEW_BASELINE = {"network": "convnet-small", "recipe": "short", "techniques": [NEWCOMER | {"rho": 0.05}]}
NEW_PERSUASION = {"method": "persuasion", "message": "newcomer", "epsilon_255": 8, "n_candidates": 2}
NEW_PERSUASION |= {"contested_below": 0.7}
NEW_ENHANCER = NEWCOMER | {"models": ["ce"], "epsilon_255": [1], "temperature": [1]}

EDITS_OF_METHODS = [
    Edit("a new method of every kind: its module and its settings", new_methods, set()),
    Edit(
        "a new loss, in a new student",
        used("losses", "kd", put_in("students", other=NEW_STUDENT | {"loss": NEW_STUDENT["loss"] | NEWCOMER})),
        replicates("distill_student", "other")
        | replicates("predict", "other")
        | uncompared("other/clean", before=("cutmix",))
        | FIDELITY,
    ),
    Edit(
        "a new mixing, in a new model",
        used("mixing", "cutmix", put_in("augmented", mixed=NEW_AUGMENTED)),
        replicates("train_augmented", "mixed") | replicates("predict", "mixed") | uncompared("mixed/clean"),
    ),
    Edit(
        "a new technique, in a new baseline",
        used("techniques", "sam", put_in("baselines", flat=NEW_BASELINE)),
        replicates("train_baseline", "flat")
        | replicates("predict", "flat")
        | uncompared("flat/clean", before=("kd", "cutmix")),
    ),
    Edit(
        "a new enhancer, of one model",
        used("enhancers", "odin", put_in("enhancers", big=NEW_ENHANCER)),
        replicates("enhance_images", "ce/big") | uncompared("ce/big", before=("kd", "cutmix")) | ENHANCEMENTS,
    ),
    Edit(
        "a new target transform, in a new student",
        used("targets", "corrected", put_in("students", transformed=NEW_STUDENT | {"target_transform": NEWCOMER})),
        replicates("distill_student", "transformed")
        | replicates("predict", "transformed")
        | uncompared("transformed/clean", before=("cutmix",))
        | FIDELITY,
    ),
    Edit(
        "a new protocol, of a group",
        used("protocols", "mean-logit", join_group("newcomer", NEWCOMER)),
        decided("newcomer") - COMPARED,
    ),
    Edit(
        "a new message, in a protocol of a group",
        used("messages", "random-sign", join_group("persuasion-newcomer", NEW_PERSUASION)),
        decided("persuasion-newcomer") - COMPARED,
    ),
    Edit(
        "a new corruption, of a data set",
        used("corruptions", "contrast", corrupt_by_newcomer),
        {"corrupt_images:newcomer"} | predicted(*MODELS),
    ),
    Edit("a new score, in use", used("scores", "gini", ask_for_newcomer), measured(*ARMS) - COMPARED),
    Edit(
        "a new kind of figure, in a new figure",
        used("figures", "mask-gallery", put_in("figures", more=NEW_FIGURE | {"kind": "newcomer", "style": STYLE})),
        {"plot_figure:more"} | REPORT,
    ),
]

EDITS_IN_USE = [  # tried on a copy in which a job has run with the method
    Edit(
        "an edit of a target transform that a student uses",
        edited("targets", "corrected", put_in("students", transformed=NEW_STUDENT | {"target_transform": NEWCOMER})),
        replicates("distill_student", "transformed")
        | replicates("predict", "transformed")
        | measured("transformed/clean") - COMPARED
        | FIDELITY,
        "tried on a copy with such a student",
    ),
    Edit(
        "an edit of a technique that a baseline uses",
        edited("techniques", "sam", put_in("baselines", flat=NEW_BASELINE)),
        replicates("train_baseline", "flat") | replicates("predict", "flat") | measured("flat/clean") - COMPARED,
        "tried on a copy with such a baseline",
    ),
]
