"""Licences of data sets, for the record of a run: what their authors state, or what the config's `licence` says.

In one table, not in the modules of the sources: jobs that prepare images depend on those, and none on a licence.
"""

NOT_STATED = "not stated"
_MIT, _BY = "https://spdx.org/licenses/MIT", "https://spdx.org/licenses/CC-BY-4.0"
STATED = {  # by kind of source: a text, or the address of a licence
    "embedded": _MIT,  # Fashion-MNIST, the one that comes with the project
    "fashion-mnist": _MIT,
    "fashion-scenes": _MIT,  # of its objects; the textures are drawn here
    "sklearn": _BY,  # digits: UCI's Optical Recognition of Handwritten Digits
    "cifar10": NOT_STATED,
    "cifar100": NOT_STATED,
    "stl10": NOT_STATED,  # its images are ImageNet's
    "svhn": "for non-commercial use only",
    "tiny-imagenet": "ImageNet's terms of access: non-commercial research and education",
    "imagenet": "ImageNet's terms of access: non-commercial research and education",
}


def licence_of(entry) -> str:
    """Return the licence of an entry of `datasets` or `ood_sets`: its own, or what is known of its source."""
    return entry.licence or STATED.get(entry.source.partition(":")[0], NOT_STATED)


def licences(study) -> dict[str, dict[str, str]]:
    """Return the licence of each data set and of each OOD set of a study, by section and name."""
    return {
        section: {name: licence_of(entry) for name, entry in getattr(study, section).items()}
        for section in ("datasets", "ood_sets")
    }
