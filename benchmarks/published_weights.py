"""Accuracy of published weights on pictures of known class: are they read, named and normalised as they were trained?

python benchmarks/published_weights.py DATA                       the four ResNets of studies/cifar10-published.yaml
python benchmarks/published_weights.py DATA LITE0.pth PICTURES    EfficientNet-Lite0 too, in both of timm's networks

DATA: as data_folder of that study. PICTURES: a folder of ImageNet pictures called …_CLASS.jpg by their row of the
1,000, such as those of the package foolbox. On CIFAR-10 Lite0's probabilities are summed over the ImageNet classes that
are of a class of CIFAR-10.
"""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from selfdoubt.data import catalog  # noqa: E402
from selfdoubt.models import inference  # noqa: E402
from selfdoubt.models.classifier import build_model  # noqa: E402
from selfdoubt.settings.data import Dataset  # noqa: E402
from selfdoubt.settings.source_files import Folders  # noqa: E402

STUDY = ROOT / "studies/cifar10-published.yaml"
IMAGENET = {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}
NORMALISATIONS = {"0.5": {"mean": [0.5] * 3, "deviation": [0.5] * 3}, "of ImageNet": IMAGENET}
PUBLISHED = {  # by the README of the files: their errors, %, on all 10,000 test images, and those of He et al. 2016
    "resnet20": ("8.27", "8.75"), "resnet32": ("7.37", "7.51"),
    "resnet44": ("6.90", "7.17"), "resnet56": ("6.61", "6.97"),
}  # fmt: skip
BIRDS = [*range(7, 25), *range(80, 101), *range(127, 147)]
SAME = [  # rows of ImageNet for airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck
    [404, 895], [436, 468, 511, 609, 627, 656, 751, 817], BIRDS, [*range(281, 288)], [351, 352, 353],
    [*range(151, 269)], [30, 31, 32], [339], [403, 472, 484, 510, 554, 576, 625, 628, 724, 780, 814, 833, 871, 914],
    [555, 569, 656, 675, 717, 847, 864, 867],
]  # fmt: skip


def resnets(folder: Path, test) -> None:
    """Print a table of errors, %."""
    print(f"| | first {len(test.labels):,} test images | published | He et al. |\n|---|---|---|---|")
    for name, entry in yaml.safe_load(STUDY.read_text())["pretrained"].items():
        weights = entry.pop("weights").replace("{data_folder}", str(folder))
        model = build_model(SimpleNamespace(**entry), 10, 3, 32, weights=weights, keep_head=True).eval()
        incorrect = inference.predict_logits(model, test.images).argmax(1) != test.labels
        print(f"| {name} | {100 * incorrect.mean():.1f} | {' | '.join(PUBLISHED[name])} |", flush=True)


def lite0(weights: Path, pictures: Path, test) -> None:
    paths = sorted(pictures.glob("*_*.jpg"))
    labels = np.array([int(re.search(r"_(\d+)\.jpg$", path.name)[1]) for path in paths])
    images = np.stack(
        [np.array(Image.open(path, formats=["JPEG"]).convert("RGB").resize((224, 224))) for path in paths]
    )
    for name in ("efficientnet_lite0", "tf_efficientnet_lite0"):
        for title, values in NORMALISATIONS.items():
            network = SimpleNamespace(
                family="timm", name=name, pretrained=False, input_px="pretrained", patch_px=4, **values
            )
            parts = []
            for split, size_px in ((images.transpose(0, 3, 1, 2), 224), (test.images, 32)):
                model = build_model(network, 1000, 3, size_px, weights=weights, keep_head=True).eval()
                parts.append(torch.from_numpy(inference.predict_logits(model, split)).double().log_softmax(1).numpy())
            nll = -parts[0][np.arange(len(labels)), labels].mean()
            n_correct = (parts[0].argmax(1) == labels).sum()
            sums = np.stack([np.exp(parts[1][:, rows]).sum(1) for rows in SAME], 1)
            accuracy = (sums.argmax(1) == test.labels).mean()
            print(
                f"{name}, mean {title}: {n_correct} of {len(labels)}, NLL {nll:.2f}; CIFAR-10 {accuracy:.1%}",
                flush=True,
            )


if __name__ == "__main__":
    data = Path(sys.argv[1])
    tested = catalog.load(Dataset(source=f"parquet:{data / 'cifar10-part'}"), Folders(ROOT, ROOT))[0]["test"]
    resnets(data, tested)
    if len(sys.argv) > 2:
        lite0(Path(sys.argv[2]), Path(sys.argv[3]), tested)
