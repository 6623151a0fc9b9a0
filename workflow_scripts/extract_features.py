"""Keep the penultimate features of a replicate's training images and of every image that is predicted."""

from selfdoubt.data import datasets, own_images
from selfdoubt.evaluation import features
from selfdoubt.models import checkpoints, penultimate
from selfdoubt.runtime import cli, computing


def run(arguments):
    model = checkpoints.load_model(arguments.checkpoint, computing.prepare(arguments.settings))
    weight, bias = penultimate.head_of(model)
    found = {}

    def keep(name: str, images) -> None:
        mb = len(images) * weight.shape[1] * 2 / 1e6
        print(f"{name}: {len(images)} x {weight.shape[1]} features, float16, {mb:.1f} MB", flush=True)
        found[name] = penultimate.features_of(model, images)

    keep("train", own_images.read_train(arguments.train, arguments.settings, arguments.replicate)[0].images)
    for path in [arguments.val, arguments.test, *arguments.ood, *arguments.shifted]:
        for name, split in datasets.each(path):
            keep(name, split.images)
    features.write(arguments.output, found, weight, bias, arguments.metadata)


if __name__ == "__main__":
    files = {"checkpoint": "of the model", "train": "split", "val": "split", "test": "split"}
    files |= {"ood": "splits", "shifted": "splits", "output": "written: features"}
    cli.main(run, files, several=("ood", "shifted"), replicated=True, computes=True)
