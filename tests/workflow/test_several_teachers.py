"""Students of several teachers: which jobs their targets take."""

KD = {"network": "convnet-small", "recipe": "short", "loss": {"method": "kd", "temperature": 1, "alpha": 1}}


def of_twins(config):
    """Two students of three twins, in any order, and a curve over their number."""
    config["replicates"] = [1]
    config["baselines"]["twin"] = {"twins_of": "ce", "n": 3}
    sets = {"a": ["twin"], "b": ["twin-3", "twin-1", "twin-2"], "one": "twin-1", "two": ["twin-1", "twin-2"]}
    config["students"] |= {name: KD | {"teacher": teachers} for name, teachers in sets.items()}
    config["students"]["b"] |= {"target_transform": {"method": "corrected"}}


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
