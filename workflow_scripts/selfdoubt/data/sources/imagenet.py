"""ILSVRC 2012: its train folders; its official val, sorted into folders or flat with the devkit, as test."""

from pathlib import Path

from selfdoubt.data import image_folders
from selfdoubt.data.raw import Raw
from selfdoubt.runtime import texts
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import check_link, contents, path_of
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import imagenet as facts

_DEVKIT_LABELS = "ILSVRC2012_validation_ground_truth.txt"


def find(place: str, folders: Folders) -> Raw:
    """List the images; raises UserError if val is flat and no devkit beside it has its labels."""
    facts.files_of(place, folders)  # raises UserError if it is not there
    root, ignored = path_of(place), {}
    train = image_folders.classes(root, root / "train", ignored)
    class_names = list(train)
    flat = [path for path in contents(root / "val").files if path.match("ILSVRC2012_val_*.JPEG")]
    official = _by_devkit(root, flat) if flat else image_folders.classes(root, root / "val", ignored)
    pools = {"train": image_folders.pool(root, train, class_names, root / "train")}
    pools["test"] = image_folders.pool(root, official, class_names, root / "val")
    return Raw(pools, class_names, ignored)


def _by_devkit(root: Path, flat: list[Path]) -> dict[str, list[str]]:
    """Return the flat validation images by class folder, with the labels of the development kit."""
    from scipy.io import loadmat

    labels = next(iter(root.rglob(_DEVKIT_LABELS)), root / _DEVKIT_LABELS)
    meta = labels.with_name("meta.mat")
    if not (labels.is_file() and meta.is_file()):
        raise UserError(
            f"{root}: val is flat and {_DEVKIT_LABELS} is not there; unpack ILSVRC2012_devkit_t12 beside it"
        )
    for path in (*flat, labels, meta):
        check_link(path, root)
    synsets = loadmat(meta, squeeze_me=True)["synsets"]
    wnids = {int(each["ILSVRC2012_ID"]): str(each["WNID"]) for each in synsets if int(each["num_children"]) == 0}
    truth = [wnids[int(line)] for line in texts.decode(labels.read_bytes(), labels).split()]
    if len(truth) != len(flat):
        counts = f"{len(flat)} images and {len(truth)} labels in {labels.name}"
        raise UserError(f"{root / 'val'}: {counts}; unpack it again")
    found = {wnid: [] for wnid in sorted(set(truth))}
    for path, wnid in zip(flat, truth, strict=True):
        found[wnid].append(str(path.relative_to(root)))
    return found
