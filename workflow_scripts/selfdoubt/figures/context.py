"""What a figure is drawn by besides its entry and its files, as far as its kind needs it: facts about the study."""

from dataclasses import dataclass, field

# Okabe & Ito (2008) without yellow, which vanishes on white, then five of Paul Tol's muted colours.
PALETTE = (
    *("#3a3f45", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"),
    *("#56b4e9", "#882255", "#999933", "#332288", "#44aa99", "#aa4499"),
)
DASHES = ("solid", (0, (4, 1.4)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
MARKERS = ("o", "D", "s", "^")
N_LOOKS = len(PALETTE) * len(MARKERS)  # that differ


@dataclass(frozen=True)
class Look:
    """How one arm is drawn in every figure."""

    colour: str
    dashes: object
    marker: str


def look_at(place: int) -> Look:
    """Return the look of the arm at a place among all arms of the study; N_LOOKS differ."""
    form = place // 6 % 4 ^ place // 24 % 2  # in the second half, the forms that a colour had not in the first
    return Look(PALETTE[place % len(PALETTE)], DASHES[form], MARKERS[form])


def looks_at(places: dict[str, int]) -> dict[str, Look]:
    """Return the looks of arms by their places in the study, or, if two would look alike, among themselves."""
    arms = sorted(places, key=places.get)
    looks = {arm: look_at(places[arm]) for arm in arms}
    if len({*looks.values()}) < min(len(arms), N_LOOKS):
        return {arm: look_at(place) for place, arm in enumerate(arms)}
    return looks


@dataclass(frozen=True)
class Context:
    """That part of the study which a figure's kind needs; what it does not need is empty."""

    labels: dict[str, str] = field(default_factory=dict)  # arm -> text
    looks: dict[str, Look] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)  # arm -> the setting along which a figure shows it
    mask_truth: str = "none"
    source: str = ""  # of the data set
    corruptions: dict = field(default_factory=dict)  # names and severities, of the data set
    doses: dict[str, int] = field(default_factory=dict)  # data set -> training images of a replicate
    claims: dict = field(
        default_factory=dict
    )  # "study", and "margins": claim -> metric -> margin that the config gives
    own_images: dict = field(default_factory=dict)  # of a replicate, as `data.own_images.positions` takes it; none: all


def context_of(settings: dict) -> Context:
    """Return the context from a job's settings: "labels" (arm -> text), "looks" (arm -> place), and others."""
    looks = looks_at(settings.get("looks", {}))
    others = {key: settings.get(key, {}) for key in ("values", "corruptions", "doses", "claims", "own_images")}
    texts = {key: settings[key] for key in ("mask_truth", "source") if key in settings}
    return Context(settings.get("labels", {}), looks, **texts, **others)
