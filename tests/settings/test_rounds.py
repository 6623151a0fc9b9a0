"""Registered rounds: each follows on those before it, at the part of the level that the first was registered with."""

from pathlib import Path

import pytest
from wrong_configs import fault

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.registered import differences
from selfdoubt.settings.registration import registration
from selfdoubt.settings.rounds import earlier_rounds, rounds_of
from selfdoubt.settings.study import load_study

FILE = Path("study.registered.json")


def of(replicates: range, **studies) -> dict:
    """A registration; studies: their (round, rounds)."""
    entries = {key: {"round": number, "rounds": rounds} for key, (number, rounds) in studies.items()}
    return {"replicates": [*replicates], "studies": entries, "digest": f"d{replicates[0]}"}


FIRST, SECOND, THIRD = (of(range(10 * n + 1, 10 * n + 11), a=(n, 3)) for n in (1, 2, 3))
BOTH = of(range(11, 21), a=(1, 3), b=(1, 3))


def follow(present: dict, before: dict | None, commit: str | None = "abc of 2026-01-01", n_evaluated: int = 0) -> dict:
    earlier = earlier_rounds(present, before, commit, n_evaluated, FILE)
    return present | ({"earlier": earlier} if earlier else {})


def test_each_round_records_those_before_it():
    assert "earlier" not in follow(FIRST, None)
    second = follow(SECOND, FIRST, "one", 9)
    third = follow(THIRD, second, "two", 9)
    assert [(each["commit"], each["replicates"][0], each["digest"]) for each in third["earlier"]] == [
        ("one", 11, "d11"),
        ("two", 21, "d21"),
    ]
    assert rounds_of(third) == [("a", 3, 3, ("one", "two"))] and rounds_of(third)[0].complete
    assert not rounds_of(SECOND)[0].complete  # written by hand: of the first round nothing is recorded


def test_a_round_may_be_registered_again_until_it_is_evaluated():
    changed = of(range(31, 41), a=(1, 2))
    assert follow(changed, FIRST) == changed
    second = follow(SECOND, FIRST, "one")
    again = follow(of(range(41, 51), a=(2, 3)), second)
    assert again["earlier"] == second["earlier"]


def test_files_of_earlier_versions_have_one_round():
    old = {"replicates": [1, 2], "studies": {"a": {"rounds": 1}}, "digest": "d"}
    assert rounds_of(old) == [] and "earlier" not in follow(of(range(1, 3), a=(1, 1)), old)
    assert "earlier" not in follow(FIRST, {})  # a file of which only this is known, that it is JSON


@pytest.mark.parametrize(
    ("present", "before", "commit", "n_evaluated", "named"),
    [
        (SECOND, None, None, 0, "studies.a.round: 2, but study.registered.json registers no round 1"),
        (SECOND, FIRST, None, 0, "study.registered.json: holds an earlier round of 'a'"),
        (THIRD, FIRST, "c", 0, "studies.a.round: 3"),
        (of(range(21, 31), a=(2, 2)), FIRST, "c", 0, "studies.a.rounds: 2, but round 1 was registered in commit c"),
        (of(range(20, 30), a=(2, 3)), FIRST, "c", 0, "replicates: 20 is of an earlier round"),
        (of(range(21, 31), a=(2, 3), b=(1, 3)), BOTH, "c", 0, "studies.b.round: 1"),
        (of(range(11, 21), a=(1, 2)), FIRST, "c", 9, "studies.a: round 1 of 2"),
        (of(range(21, 31), a=(1, 3)), FIRST, "c", 9, "fresh ones are a further round"),
    ],
)  # fmt: skip
def test_what_cannot_follow_is_refused(present, before, commit, n_evaluated, named):
    with pytest.raises(UserError) as refused:
        earlier_rounds(present, before, commit, n_evaluated, FILE)
    assert named in str(refused.value) and "\n" not in str(refused.value)


def test_the_config_has_the_round_beside_the_rounds(config):
    once = registration(load_study(config))
    config["studies"]["distillation"] |= {"rounds": 3, "round": 2}
    study = load_study(config)
    assert study.level("distillation") == pytest.approx(0.05 / 3)
    found = registration(study)
    assert rounds_of(found)[0][:3] == ("distillation", 2, 3)
    assert differences(found | {"earlier": [{}]}, found) == []
    assert differences(once, found) == ["studies.distillation.rounds", "studies.distillation.round"]
    config["studies"]["distillation"]["rounds"] = 1
    assert "studies.distillation" in fault(config) and "rounds is 1" in fault(config)
