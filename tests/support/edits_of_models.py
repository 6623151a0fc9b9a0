"""Edits of replicates, models and recipes, and the exact jobs that each makes run again."""

from edits_of_methods import NEW_STUDENT
from expected_jobs import (
    ACCURACY,
    ENHANCEMENTS,
    FIDELITY,
    FROM_TEACHER,
    FROM_TRAINING,
    GROUPS,
    LOOKS,
    MATRIX,
    MODELS,
    PROTOCOLS,
    STUDENTS,
    TABLES,
    decided,
    measured,
    renewed,
    replicates,
    shown,
    stored,
    trained,
    uncompared,
)
from ways_of_editing import (
    Edit,
    config,
    learning_enhancer,
    longer,
    more_members,
    pretrained_member,
    pretrained_teacher,
    put,
    remove_model,
    robust_model,
    several,
)

LEARNED = replicates("enhance_images", "ce/learned") | uncompared("ce/learned") | ENHANCEMENTS

OF_MODELS: list[Edit] = [
    Edit(
        "a new replicate",
        config(lambda c: c["replicates"].append(4)),
        trained(*MODELS, of=[4]) | stored([4]) | renewed(*MODELS, of=[4]),
    ),
    Edit(
        "a replicate removed",
        config(lambda c: c["replicates"].remove(3)),
        TABLES | ENHANCEMENTS | GROUPS | FIDELITY | LOOKS | MATRIX,
    ),
    Edit(
        "a new student",
        put("students", other=NEW_STUDENT),
        replicates("distill_student", "other")
        | replicates("predict", "other")
        | uncompared("other/clean", before=("cutmix",))
        | FIDELITY,
        "an arm's colour is its place among all",
        tried=False,
    ),
    Edit("a model removed", config(remove_model), TABLES | ACCURACY | shown("label-smoothing", "cutmix")),
    Edit(
        "a model left out, `left_out`",
        config(lambda c: c.update(left_out={"label-smoothing": "failed"})),
        TABLES | ACCURACY | shown("label-smoothing", "cutmix"),
        "nothing else is trained or predicted again",
    ),
    Edit(
        "one student's temperature",
        put("students.kd.loss", temperature=2),
        trained("kd") | renewed("kd"),
        tried=False,
    ),
    Edit(
        "two students' `alpha` swapped",
        several(put("students.kd.loss", alpha=1), put("students.kd-no-labels.loss", alpha=0.9)),
        trained(*STUDENTS) | renewed(*STUDENTS),
    ),
    Edit(
        "a baseline's `label_smoothing`",
        put("baselines.label-smoothing", label_smoothing=0.2),
        trained("label-smoothing") | renewed("label-smoothing"),
    ),
    Edit(
        "`augmented.cutmix.mixing.beta`",
        put("augmented.cutmix.mixing", beta=0.5),
        trained("cutmix") | renewed("cutmix"),
    ),
    Edit("a network's widths", put("networks.convnet-medium", widths=[16, 32, 48]), FROM_TEACHER),
    Edit("the teacher's epochs", longer("teachers", "teacher"), FROM_TEACHER, tried=False),
    Edit(
        "the recipe of all models",
        put("recipes.short", shift_px=2),
        (FROM_TRAINING - stored()) | stored(shift_px=2),
    ),
    Edit("`soft_labels.top_k`", put("soft_labels", top_k=3), stored() | trained(*STUDENTS) | renewed(*STUDENTS)),
    Edit(
        "`soft_labels.mode: online`",
        put("soft_labels", mode="online"),
        trained(*STUDENTS) | renewed(*STUDENTS),
        "other input files; to equal bytes",
    ),
    Edit(
        "one of two students gets another recipe",
        longer("students", "kd-no-labels"),
        trained(*STUDENTS) | renewed(*STUDENTS),
        "each is then alone with its views, and runs its teacher itself; the other to equal bytes",
    ),
    Edit(
        "`n: 3` of twins becomes 4",
        more_members({"twins_of": "ce", "n": 3}, 4),
        replicates("train_baseline", "twins-4")
        | replicates("predict", "twins-4")
        | uncompared("twins-4/clean", before=("kd", "cutmix")),
        "tried on a copy with three twins of `ce`",
    ),
    Edit(
        "`n: 2` of folds becomes 4",
        more_members({"folds_of": "ce", "parts": 2}, 4),
        replicates("train_baseline", "twins-3", "twins-4")
        | replicates("predict", "twins-3", "twins-4")
        | uncompared("twins-3/clean", "twins-4/clean", before=("kd", "cutmix")),
        "tried on a copy with two folds of `ce`, called `twins`",
        tried=False,
    ),
    Edit(
        "`siblings` of a `deep` enhancer",
        learning_enhancer(put("enhancers.learned", siblings=["twins-1", "twins-2"])),
        LEARNED,
        "tried on a copy where it learns by the errors of `kd`",
    ),
    Edit(
        "`errors_of` of a `deep` enhancer",
        learning_enhancer(put("enhancers.learned", errors_of="label-smoothing")),
        LEARNED,
        "the same copy",
        tried=False,
    ),
    Edit(
        "the temperature of the student by whose errors it learns",
        learning_enhancer(put("students.kd.loss", temperature=2)),
        trained("kd") | renewed("kd") | LEARNED,
        "the same copy",
    ),
    Edit(
        "a new robust model, fine-tuned from `kd`",
        config(robust_model),
        replicates("train_robust", "moved") | replicates("predict", "moved") | uncompared("moved/clean"),
    ),
    Edit(
        "a pretrained model joins a group",
        pretrained_member,
        {"import_model:big/1"}
        | replicates("predict", "big", of=[1])
        | measured("big/clean", of=[1])
        | decided(*PROTOCOLS),
    ),
    Edit(
        "a pretrained model becomes the students' teacher",
        config(pretrained_teacher),
        {"import_model:big/1"}
        | stored(teacher="big")
        | trained(*STUDENTS)
        | renewed(*STUDENTS)
        | replicates("predict", "big", of=[1])
        | measured("big/clean", of=[1]),
    ),
]
