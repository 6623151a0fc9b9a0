"""Predict every image of val, test, OOD and shifted sets."""

from selfdoubt.data import datasets
from selfdoubt.evaluation import prediction_tables
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import cli, devices, randomness


def run(arguments):
    model = checkpoints.load_model(arguments.checkpoint, devices.prepare("auto", threads=1))
    paths = [arguments.val, arguments.test, *arguments.ood, *arguments.shifted]
    splits = datasets.read_all(paths)
    logits = {name: inference.predict_logits(model, split.images) for name, split in splits.items()}
    signals, n_passes = {}, arguments.settings.mc_dropout_passes
    if n_passes and inference.has_dropout(model):
        seeds = {name: randomness.key(arguments.replicate, f"mc-dropout/{name}") for name in splits}
        signals["mc_dropout"] = {
            name: inference.mc_dropout(model, split.images, n_passes, seeds[name]) for name, split in splits.items()
        }
    prediction_tables.write_predictions(arguments.output, splits, logits, signals, arguments.metadata)


if __name__ == "__main__":
    files = {"checkpoint": "of the model", "val": "split", "test": "split", "ood": "splits", "shifted": "splits"}
    written = {"output": "written: predictions"}
    cli.main(run, files | written, several=("ood", "shifted"), replicated=True, computes=True)
