"""Students of several teachers: which jobs their targets take."""

KD = {"network": "convnet-small", "recipe": "short", "loss": {"method": "kd", "temperature": 1, "alpha": 1}}


def with_students(config, **students) -> None:
    config["replicates"] = [1]
    config["students"] |= {name: KD | entry for name, entry in students.items()}


def of_twins(config):
    """Two students of three twins, in any order, and a curve over their number."""
    config["baselines"]["twin"] = {"twins_of": "ce", "n": 3}
    with_students(
        config,
        a={"teacher": ["twin"]},
        b={"teacher": ["twin-3", "twin-1", "twin-2"], "target_transform": {"method": "corrected"}},
        one={"teacher": "twin-1"},
        two={"teacher": ["twin-1", "twin-2"]},
    )


def files_of_soft_labels(copy) -> list[str]:
    return [job for job in copy.jobs() if job.startswith("precompute_soft_labels:mean-")]


def test_students_of_the_same_teachers_share_one_file(copy):
    copy.edit_config(of_twins)
    assert len(files_of_soft_labels(copy)) == 1
    copy.edit_config(lambda config: config["students"]["b"].update(teacher_view="fixed"))
    assert files_of_soft_labels(copy) == []
    copy.edit_config(lambda config: config["soft_labels"].update(mode="stored"))
    assert len(files_of_soft_labels(copy)) == 2  # of three twins, and of two
    assert {f"distill_student:{name}/1" for name in ("a", "b", "one", "two")} <= copy.jobs()


def test_generations_teach_one_another(copy):
    """Each of first weights other than its teacher's: a twin between models that are none."""

    def born_again(config):
        config["replicates"] = [1]
        config["students"] |= {"born-1": KD | {"teacher": "kd-no-labels"}, "born-2": KD | {"teacher": "born-1"}}
        config["students"] |= {"born-2-twin": {"twins_of": "born-2", "n": 1}}
        config["students"] |= {"born-3": KD | {"teacher": "born-2-twin-1"}}

    copy.edit_config(born_again)
    assert {f"distill_student:{name}/1" for name in ("born-1", "born-2", "born-2-twin-1", "born-3")} <= copy.jobs()


def test_students_of_mixed_images_wait_for_masks(copy):
    mixing = {"mixing": {"method": "mask-cutmix", "probability": 0.5, "n_placements": 8}, "segmenter": "unet"}

    def masked(config):
        config["replicates"] = [1]
        config["students"] |= {name: KD | {"teacher": "teacher"} | mixing for name in ("a", "b")}
        config["students"]["b"]["loss"] = {"method": "hard", "alpha": 1}

    copy.edit_config(masked)
    jobs = copy.jobs()
    assert {"distill_student:a/1", "distill_student:b/1"} <= jobs
    assert len([job for job in jobs if job.startswith("precompute_soft_labels:")]) == 1


def test_held_out_targets_are_of_folds_that_are_trained_and_evaluated_as_all_models(copy):
    def change(config):
        config["teachers"]["fold"] = {"folds_of": "teacher", "parts": 2, "n": 4}
        longer = config["recipes"]["short"] | {"epochs": 3 * config["recipes"]["short"]["epochs"]}
        config["recipes"]["longer"] = longer
        config["teachers"]["long"] = {**config["teachers"]["teacher"], "recipe": "longer"}
        with_students(
            config,
            honest={"teacher": "fold", "targets": "held-out"},
            hard={"teacher": "fold", "targets": "held-out", "loss": {"method": "hard", "alpha": 1}},
            seen={"teacher": "fold"},
            views={"teacher": "teacher", "teacher_views": 3},  # controls
            plain={"teacher": "teacher"},
            trained={"teacher": "long"},
        )

    copy.edit_config(change)
    jobs = copy.jobs()
    assert {f"train_teacher:fold-{i}/1" for i in range(1, 5)} <= jobs
    assert {f"compute_metrics:fold-{i}/1/clean" for i in range(1, 5)} <= jobs
    assert {f"distill_student:{name}/1" for name in ("honest", "hard", "seen", "views", "plain", "trained")} <= jobs
    assert len(files_of_soft_labels(copy)) == 1  # of the held-out targets, which two students read
