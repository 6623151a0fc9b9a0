"""Captions: what a figure shows and how to read it, from its settings and the tables."""

from selfdoubt.report.formats import counted, listed
from selfdoubt.report.numbers import Column, Numbers, find


def caption(settings: dict, numbers: Numbers) -> str:
    """Return the caption of one figure."""
    write = CAPTIONS.get(settings["kind"])
    return write(settings, numbers) if write else f"{settings['kind']} on {settings.get('dataset', 'all data sets')}."


def _behind(settings: dict, numbers: Numbers) -> str:
    """Return "fashion-mnist-12k, test (n = 10,000 images, 3 replicates)"."""
    dataset, split = settings["dataset"], settings["split"]
    arms = settings.get("arms") or {arm for where, arm, *_ in numbers if where == dataset}
    found = [value for arm in arms for value in find(numbers, dataset, arm, Column("accuracy", split=split))]
    if not found:
        return f"{dataset}, {split}"
    images = counted(max(value.n for value in found), "image")
    return f"{dataset}, {split} (n = {images}, {counted(len({value.replicate for value in found}), 'replicate')})"


def _risk_coverage(settings: dict, numbers: Numbers) -> str:
    arms = settings["arms"]
    return (
        f"Risk and coverage of {listed(arms)} on {_behind(settings, numbers)}, images accepted in the order of the "
        f"score {settings['score']}. Lines are means over replicates, bands reach from the least to the most. Lower is "
        f"better. Below: the difference from {arms[0]}, paired by replicate."
    )


def _reliability(settings: dict, numbers: Numbers) -> str:
    return (
        f"Reliability of {listed(settings['arms'])} on {_behind(settings, numbers)}: accuracy in "
        f"{settings['n_bins']} bins of the largest probability, replicates pooled. On the dashed line confidence "
        "equals accuracy; bars above it are too cautious, bars below too sure. Below: the share of images in each bin."
    )


def _auroc_accuracy(settings: dict, numbers: Numbers) -> str:
    return (
        f"Ranking against accuracy on {_behind(settings, numbers)}: how well the score {settings['score']} tells right "
        "answers from wrong ones. Small dots are replicates, large marks their mean; up and right is better."
    )


def _mask_gallery(settings: dict, numbers: Numbers) -> str:
    return (
        f"Masks of the segmenter {settings['segmenter']} on {settings['n_images']} images of {settings['dataset']}: "
        "the image, what it is held against, and the predicted mask with its intersection over union."
    )


def _enhancement_examples(settings: dict, numbers: Numbers) -> str:
    return (
        f"{settings['n_images']} images of {settings['dataset']} before and after {listed(settings['enhancers'])} for "
        f"model {settings['model']}, replicate {settings['replicate']}. The step is magnified by the factor above it, "
        "grey is no change; the numbers are the confidence before and after."
    )


def _persuasion_matrix(settings: dict, numbers: Numbers) -> str:
    return (
        f"Who persuades whom in {settings['group']}/{settings['protocol']} on the contested images of "
        f"{settings['dataset']}, test: those whose likeliest class is not likely enough, the only ones about which "
        "messages are sent. Numbers: the listener's mean gain in log probability, in nats, for the class that a "
        "sender's message argues for, as mean ± standard deviation over replicates; every message is heard by all. "
        "Blue: persuaded; brown: put off. The diagonal is each model's message to itself."
    )


def _mixed_labels(settings: dict, numbers: Numbers) -> str:
    return (
        f"Labels of mixed images of {settings['dataset']} under {listed(settings['models'])}: the weight of the "
        "target's label; how far it is, on average, from the target's share of the visible object pixels; and how "
        "often a label has weight though none of its object is visible. Pixels of blended images count by their weight."
    )


def _object_size(settings: dict, numbers: Numbers) -> str:
    arms = settings["arms"]
    return (
        f"What {listed(arms[1:])} gain over {arms[0]} by the size of the object, on {_behind(settings, numbers)}: "
        f"{settings['n_bins']} bins of as many images. Accuracy: higher is better. AURC of the score "
        f"{settings['score']}: lower is better. Paired by replicate; bars reach from the least to the most."
    )


CAPTIONS = {
    "risk-coverage": _risk_coverage,
    "reliability": _reliability,
    "auroc-accuracy": _auroc_accuracy,
    "mask-gallery": _mask_gallery,
    "enhancement-examples": _enhancement_examples,
    "persuasion-matrix": _persuasion_matrix,
    "mixed-labels": _mixed_labels,
    "object-size": _object_size,
}
