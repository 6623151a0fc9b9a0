"""Arms that are left out of a run, each with the reason: what failed keeps all else from neither tables nor page.

What needs them is left out too: students of a teacher, models with its segmenter's masks, groups of a member, claims,
figures that show nothing else. The page lists all of it with the reasons; a registration, which has the arms, shows
that they are missing.
"""

from collections.abc import Callable, Iterator

from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.choices import check_known

_MODELS = ("teachers", "baselines", "students", "augmented", "robust", "pretrained", "predictions")
_CLAIMS = ("hypotheses", "manipulation_checks")


class LeftOut:
    """Which models, groups, segmenters and arms a study is without, and why."""

    def __init__(self, study):
        self.study, self.reasons = study, dict(study.left_out)
        known = {*study.models, *study.predicting, *study.groups, *study.arms()}
        for arm in self.reasons:
            check_known(f"left_out.{arm}", arm, known, "an arm")
        while found := {name: other for name, other in self._needing() if name not in self.reasons}:
            self.reasons |= {name: f"it needs {other}" for name, other in found.items()}

    def _needing(self) -> Iterator[tuple[str, str]]:
        """Yield models, segmenters and groups with what they need and the study is without."""
        study = self.study
        for name, model in study.models.items():
            segmenter = getattr(model, "segmenter", None)
            needed = [*_listed(getattr(model, "teacher", None)), getattr(model, "fine_tuned_from", None)]
            needed += [study.segmenters[segmenter].teacher] if segmenter in study.segmenters else []
            yield from ((name, other) for other in needed if other in self.reasons)
        for name, group in study.groups.items():
            yield from ((name, member) for member in group.members if member in self.reasons)
        for key, enhancer in study.enhancers.items():
            gone = [name for name in enhancer.learns_by() if name in self.reasons]
            yield from ((f"{model}/{key}", name) for model in enhancer.models for name in gone)
            attacks = [f"{model}/{attack}" for attack in enhancer.attacks().values() for model in enhancer.models]
            yield from ((f"{arm.partition('/')[0]}/{key}", arm) for arm in attacks if self.of_arm(arm))

    def of_arm(self, arm: str) -> str | None:
        """Return why an arm is left out; None where it is not."""
        return self.reasons.get(arm) or self.reasons.get(arm.partition("/")[0])

    def segmenter(self, name: str | None) -> bool:
        """Return whether a segmenter has no teacher."""
        return name in self.study.segmenters and self.study.segmenters[name].teacher in self.reasons

    def claim(self, claim) -> str | None:
        """Return why a claim is not evaluated; None where it is."""
        return next((f"{arm}: {why}" for arm in claim.arms() if (why := self.of_arm(arm))), None)


def without_left_out(study):
    """Return a study without the arms of its `left_out` and what needs them; it notes by study what is missing."""
    if not study.left_out:
        return study
    left = LeftOut(study)
    texts = {
        name: text.model_copy(update={"arms": [arm for arm in text.arms if not left.of_arm(arm)]})
        for name, text in study.studies.items()
    }
    texts = {name: text for name, text in texts.items() if text.arms and not left.of_arm(text.reference)}
    changes = {section: _kept(getattr(study, section), left.reasons.__contains__) for section in _MODELS}
    changes |= {
        "segmenters": _kept(study.segmenters, left.segmenter),
        "enhancers": dict(_enhancers(study, left)),
        "groups": dict(_groups(study, left)),
        "studies": texts,
        "mask_checks": {
            name: check
            for name, check in study.mask_checks.items()
            if check.study in texts and not left.segmenter(check.segmenter)
        },
        "information_claims": {
            name: claim
            for name, claim in study.information_claims.items()
            if claim.study in texts and not left.of_arm(claim.protocol)
        },
        "figures": dict(_figures(study, left, texts)),
        "labels": _kept(study.labels, lambda arm: bool(left.of_arm(arm))),
    }
    for section in _CLAIMS:
        claims = getattr(study, section).items()
        changes[section] = {key: claim for key, claim in claims if claim.study in texts and not left.claim(claim)}
    fields = {name: getattr(study, name) for name in type(study).model_fields}
    found = type(study).model_construct(study.model_fields_set, **fields | changes)
    found._notes = _notes(study, left, texts)
    return found


def _kept(entries: dict, leaves: Callable[[str], bool]) -> dict:
    return {name: entry for name, entry in entries.items() if not leaves(name)}


def _listed(value: str | list | None) -> list:
    return value if isinstance(value, list) else [value]


def _enhancers(study, left: LeftOut) -> Iterator[tuple]:
    for key, enhancer in study.enhancers.items():
        models = [model for model in enhancer.models if not left.of_arm(f"{model}/{key}")]
        if models:
            yield key, enhancer.model_copy(update={"models": models})


def _groups(study, left: LeftOut) -> Iterator[tuple]:
    for name, group in study.groups.items():
        protocols = [each for each in group.protocols if not left.of_arm(f"{name}/{each}")]
        if protocols:
            yield name, group.model_copy(update={"protocols": protocols})


def _figures(study, left: LeftOut, texts: dict) -> Iterator[tuple]:
    """Yield figures without arms that are left out; none that names one elsewhere or is of no study left."""
    for name, figure in study.figures.items():
        is_empty = False
        if isinstance(figure, FigureOfArms) and figure.arms:  # none: all there are
            figure = figure.model_copy(update={"arms": [arm for arm in figure.arms if not left.of_arm(arm)]})
            is_empty = not figure.arms
        named = [*(arm for _, arm in figure.named_arms()), *getattr(figure, "models", [])]
        named += [figure.model] if hasattr(figure, "model") else []
        named += [f"{figure.group}/{figure.protocol}"] if hasattr(figure, "protocol") else []
        gone = is_empty or any(map(left.of_arm, named)) or left.segmenter(getattr(figure, "segmenter", None))
        if not gone and (figure.study is None or figure.study in texts):
            yield name, figure


def _notes(study, left: LeftOut, texts: dict) -> dict[str, list[str]]:
    """Return sentences about what is missing, by study; under "" about studies that are missing."""
    notes: dict[str, list[str]] = {}
    for name, text in study.studies.items():
        claims = {key: claim for section in _CLAIMS for key, claim in getattr(study, section).items()}
        claims = {key: claim for key, claim in claims.items() if claim.study == name}
        informed = {key: each.protocol for key, each in study.information_claims.items() if each.study == name}
        named = [text.reference, *text.arms, *(arm for claim in claims.values() for arm in claim.arms())]
        named += informed.values()
        masks = {key: each.segmenter for key, each in study.mask_checks.items() if each.study == name}
        named += [study.segmenters[each].teacher for each in masks.values() if left.segmenter(each)]
        found = {arm: why for arm in dict.fromkeys(named) if (why := left.of_arm(arm))}
        sentences = [f"{arm} is left out: {why.removesuffix('.')}." for arm, why in found.items()]
        if name not in texts:
            notes.setdefault("", []).append(f"The study {name} is left out. {' '.join(sentences)}")
        elif sentences:
            lost = [key for key, claim in claims.items() if left.claim(claim)]
            lost += [key for key, protocol in informed.items() if left.of_arm(protocol)]
            lost += [key for key, segmenter in masks.items() if left.segmenter(segmenter)]
            notes[name] = sentences + [f"{key} is not evaluated: it names an arm that is left out." for key in lost]
    return notes
