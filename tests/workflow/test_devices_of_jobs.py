"""What jobs that run trained models compute on: the device and the threads of the models' recipes."""

import json
import re

import pytest
from copies import copy_repository


def with_recipes(config):
    """Of the trio, ce is on four threads and kd is kept from GPUs; a dialogue of ce and cutmix has neither."""
    short = config["recipes"]["short"]
    config["replicates"] = [1]
    config["recipes"] |= {"wide": short | {"threads": 4}, "processor": short | {"device": "cpu"}}
    config["recipes"]["required"] = short | {"device": "cuda", "threads": 2}
    config["baselines"]["ce"]["recipe"] = "wide"
    config["students"]["kd"]["recipe"] = "processor"
    config["augmented"]["cutmix"]["recipe"] = "required"
    config["groups"]["pair"] = {"members": ["ce", "cutmix"], "protocols": ["mean-logit", "persuasion"]}
    config["pretrained"] = {
        "resnet": {"name": "resnet18"},
        "vit": {"name": "vit_small_patch16_224", "device": "cpu", "threads": 3},
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> dict[str, tuple[int, int, dict]]:
    """Threads, GPUs and `computing` of the settings of each job that runs models or combines predictions."""
    copy = copy_repository(tmp_path_factory.mktemp("computing") / "repository")
    copy.edit_config(with_recipes)
    run = copy.snakemake("-n", "-p", "--cores", "8", "--resources", "gpu=8")
    assert run.returncode == 0, run.stdout + run.stderr
    found = {}
    for block in re.split(r"\n(?=rule \w+:)", run.stdout):
        log = re.search(r"^    log: results/default/logs/(.*)\.log$", block, re.MULTILINE)
        if log and re.match("predict|enhance_images|communicate|combine_members", log[1]):
            settings = json.loads(re.search(r"--settings '(.*)' --code", block)[1])
            threads, gpus = (re.search(pattern, block) for pattern in (r"threads: (\d+)", r"gpu=(\d+)"))
            numbers = (int(threads[1]) if threads else 1, int(gpus[1]) if gpus else 0)
            found[log[1].replace("/fashion-mnist-12k/", "/")] = (*numbers, settings.get("computing", {}))
    return found


@pytest.mark.parametrize(
    ("job", "threads", "gpus", "computing"),
    [
        ("predict/label-smoothing/replicate-1", 1, 1, {}),  # of the default recipe: what a job does by itself
        ("predict/ce/replicate-1", 4, 1, {"device": "auto", "threads": 4}),
        ("predict/kd/replicate-1", 1, 0, {"device": "cpu", "threads": 1}),
        ("predict/cutmix/replicate-1", 2, 1, {"device": "cuda", "threads": 2}),
        ("predict/resnet/replicate-1", 1, 1, {}),
        ("predict/vit/replicate-1", 3, 0, {"device": "cpu", "threads": 3}),
        ("enhance_images/ce/replicate-1/odin", 4, 1, {"device": "auto", "threads": 4}),
        ("communicate/trio/replicate-1/persuasion", 4, 0, {"device": "cpu", "threads": 4}),
        ("communicate/pair/replicate-1/persuasion", 4, 1, {"device": "cuda", "threads": 4}),
        ("combine_members/trio/replicate-1/mean-logit", 1, 0, {}),  # which runs no model
    ],
)
def test_a_job_asks_for_what_its_models_compute_on(asked, job, threads, gpus, computing):
    assert asked[job] == (threads, gpus, computing)


def test_jobs_of_the_default_study_keep_their_settings(copy):
    """Its recipe is what such jobs do by themselves."""
    output = copy.snakemake("-n", "-p", "--forcerun", "predict", "enhance_images", "communicate").stdout
    assert all(f"{name}.py" in output for name in ("predict", "enhance_images", "communicate"))
    assert '"computing"' not in output
