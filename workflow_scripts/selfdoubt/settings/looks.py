"""Looks of sequential studies: numbers of replicates after which the claims are tested, and more trained if need be.

`replicates: { from: 11, looks: [10, 20, 30] }` has up to 30 replicates, and tests each study first with 10 of them.
`look: { STUDY: 2 }`, which take_looks.py writes, is how far a study has come. Looking several times at growing
data would find too much, so each look has a part of the level: by simulation, `python benchmarks/levels.py`.
"""

from selfdoubt.runtime.errors import UserError

# Nominal level of each look as a fraction of the level, by the number of looks, the first at 10 replicates or more.
NOMINAL = {0: 1.0, 1: 1.0, 2: 0.5, 3: 0.375, 4: 0.31}
MOST_GROWTH = 4  # of the last look over the first: of looks that are farther apart the tests are nearly independent
LEAST_FIRST = 10  # below it t has so few degrees of freedom that the fractions do not hold


def unfolded(config: dict) -> dict:
    """Return a config in which `looks` stand by themselves too."""
    replicates = config.get("replicates")
    if not isinstance(replicates, dict) or not isinstance(replicates.get("looks"), list):
        return config
    return config | {"looks": replicates["looks"]}


def n_replicates(study, name: str) -> int:
    """Return with how many replicates a study is evaluated at its present look."""
    return study.looks[study.look.get(name, 1) - 1] if study.looks else len(study.replicates)


def most_replicates(study) -> int:
    """Return with how many replicates the study that has come farthest is evaluated."""
    if not study.looks:
        return len(study.replicates)
    return max([study.looks[0], *(n_replicates(study, name) for name in study.studies)])


def by_name(study) -> dict[str, int]:
    """Return how many replicates each model and group needs that a study or a claim of it names."""
    found: dict[str, int] = {}
    arms = [(key, arm) for key, text in study.studies.items() for arm in (text.reference, *text.arms)]
    claims = [*study.hypotheses.values(), *study.manipulation_checks.values()]
    arms += [(claim.study, arm) for claim in claims for arm in claim.arms()]
    arms += [(claim.study, claim.protocol) for claim in study.information_claims.values()]
    for key, arm in arms:
        name = arm.partition("/")[0]
        found[name] = max(found.get(name, 0), n_replicates(study, key))
    return found


def level(study, name: str) -> float:
    """Return the level of each family of a study at one look."""
    return study.studies[name].alpha() * NOMINAL[len(study.looks)]


def next_looks(study, undecided: set[str]) -> dict[str, int]:
    """Return how far each study may go: one look farther where it is undecided and there is one more."""
    grown = {name: min(study.look.get(name, 1) + 1, len(study.looks)) for name in sorted(undecided)}
    return study.look | {name: look for name, look in grown.items() if look > study.look.get(name, 1)}


def check_looks(study) -> None:
    """Raise UserError if looks do not grow, or `look` of a study exceeds the number of looks."""
    looks = study.looks
    if looks and (looks[0] < LEAST_FIRST or len(looks) > max(NOMINAL) or sorted(set(looks)) != looks):
        what = f"{looks}, but they are 1 to {max(NOMINAL)} growing numbers, the first {LEAST_FIRST} or more"
        raise UserError(f"config: replicates.looks: {what}; change them")
    if len(looks) > 2 and looks[-1] > MOST_GROWTH * looks[0]:
        what = f"{looks}, but of several looks the last has at most {MOST_GROWTH} times the replicates of the first"
        raise UserError(f"config: replicates.looks: {what}; change them")
    if looks and looks[-1] != len(study.replicates):
        raise UserError(f"config: looks: {looks}, but there are {len(study.replicates)} replicates; end with that")
    for name, look in study.look.items():
        if name not in study.studies or look > max(1, len(looks)):
            raise UserError(f"config: look.{name}: {look}, but there is no such look of such a study; remove it")
