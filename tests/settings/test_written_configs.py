"""Configs as people write them: several faults at once, numbers that YAML reads as texts, keys given twice."""

import pytest
import yaml
from wrong_configs import fault, faults, put

from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.provenance import canonical
from selfdoubt.settings.duplicates import check_keys
from selfdoubt.settings.study import load_study

# ---- several faults at once ----


def test_each_type_that_is_wrong_has_a_line_and_what_follows_from_it_has_none(config):
    put(config, "students.kd.loss.temperature", None)
    put(config, "students.kd.loss.temprature", 4)
    put(config, "recipes.short.epochs", 0)
    put(config, "networks.r", {"family": "timm", "name": "resnet18", "weights": "w.bin"})
    assert [line.split(": ")[1] for line in faults(config)] == [
        "students.kd.loss.temprature",
        "networks.r.weights",
        "recipes.short.epochs",
    ]


def test_a_missing_key_is_reported_beside_a_misspelt_one_that_means_another(config):
    put(config, "students.kd.loss.temperature", None)
    put(config, "students.kd.loss.alpa", 1)
    assert [line.split(": ")[1] for line in faults(config)] == ["students.kd.loss.alpa", "students.kd.loss.temperature"]


def test_every_place_that_names_a_removed_model_is_reported_at_once(config):
    config["baselines"], config["students"] = {}, {}
    lines = faults(config)
    assert len(lines) == len(set(lines)) and all("Choices: teacher, cutmix, mask-cutmix" in line for line in lines)
    named = {line.split(": ")[1].split(".")[0] for line in lines}
    assert named == {"enhancers", "groups", "studies", "hypotheses", "figures"}


def test_what_follows_from_a_removed_protocol_is_not_reported_with_it(config):
    del config["protocols"]["persuasion"]
    assert fault(config).startswith("config: groups.trio.protocols: 'persuasion' is not a protocol; did")
    config["groups"]["trio"]["protocols"].remove("persuasion")
    assert {line.split(": ")[1] for line in faults(config)} == {
        "studies.communication.arms",
        "hypotheses.persuasion-lifts-accuracy.better",
        "hypotheses.persuasion-beats-placebo.better",
        "figures.persuasion-matrix.protocol",
    }


# ---- numbers that are texts to YAML 1.1 ----


def test_numbers_may_be_written_with_an_exponent_and_mean_the_same(config):
    plain = load_study(put(config, "recipes.short.optimizer.learning_rate", 0.001))
    written = yaml.safe_load(
        "{learning_rate: 1e-3, n_resamples: 1e3, epsilon_255: [5e-1, 1, 2], replicates: ['1', '2', 3]}"
    )
    assert written["learning_rate"] == "1e-3"
    put(config, "recipes.short.optimizer.learning_rate", written["learning_rate"])
    put(config, "evaluation.n_resamples", written["n_resamples"])
    put(config, "enhancers.odin.epsilon_255", written["epsilon_255"])
    put(config, "replicates", written["replicates"])  # as of --config 'replicates=[1,2,3]'
    study = load_study(config)
    assert canonical(study.model_dump()) == canonical(plain.model_dump())
    assert config["replicates"] == ["1", "2", 3]  # what was given is left as it was


def test_what_is_no_whole_number_is_none(config):
    for text in ("1e", "0x10", "1_000", "nan", "inf", "1e999", " 1", "1.5", "1e-1", "٣", "", "one"):
        put(config, "recipes.short.epochs", text)
        assert fault(config).startswith("config: recipes.short.epochs: ") and repr(text) in fault(config)


def test_a_name_that_reads_as_a_number_stays_a_name(config):
    config["baselines"]["1e3"] = config["baselines"]["ce"]
    config["enhancers"]["odin"]["models"].append("1e3")
    config["recipes"]["short"]["epochs"] = "7"
    study = load_study(config)
    assert study.enhancers["odin"].models == ["ce", "1e3"] and study.recipes["short"].epochs == 7


# ---- keys given twice ----


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "replicates: [1]\nbaselines: {}\nreplicates: [2]\n",
            ["replicates: given in line 1 and again in line 3; keep one of them"],
        ),
        (
            "hypotheses:\n  a: {than: x, better: y, than: z}\n  b: {}\n  a: {}\n",
            [
                "hypotheses.a.than: given in line 2 and again in line 2; keep one of them",
                "hypotheses.a: given in line 2 and again in line 4; keep one of them",
            ],
        ),
        ("comparisons:\n- {split: a}\n- split: b\n  split: c\n", ["comparisons.1.split: given in line 3 and again"]),
        ("a: &here {b: 1}\nc: {<<: *here, b: 2}\nd: *here\n", []),
        ("a: &circle\n  b: *circle\n", []),
        ("# nothing\n", []),
        ('{"a":\t1, "a": 2}', ["a: given in line 1 and again in line 1"]),
        ("a: [", []),  # Snakemake reports it
    ],
)
def test_a_key_given_twice_is_reported_with_both_lines(tmp_path, text, messages):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    if not messages:
        check_keys(path)
        return
    with pytest.raises(UserError) as caught:
        check_keys(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(messages)
    assert all(line.startswith(f"{path}: {start}") for line, start in zip(lines, messages, strict=True))
