"""Make the checkpoint of a network that was trained elsewhere, and is evaluated without training."""

from selfdoubt.data import datasets
from selfdoubt.models import checkpoints, classifier, weight_files
from selfdoubt.runtime import cli


def run(arguments):
    weights = arguments.weights[0] if arguments.weights else None
    shape = datasets.shape_of(datasets.read_split(arguments.train, "train"))
    model = classifier.build_model(arguments.settings.network, **shape, weights=weights, keep_head=True)
    digest = {"weights": weight_files.sha256(weights)} if weights else {}
    checkpoints.save(arguments.checkpoint, model, arguments.metadata | digest | {"shape": shape})


if __name__ == "__main__":
    files = {
        "train": "the training split, for its classes and size",
        "weights": "left out: the published ones",
    }
    cli.main(run, files | {"checkpoint": "written"}, several=("weights",))
