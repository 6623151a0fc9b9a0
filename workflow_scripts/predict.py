"""Predict every image of val, test, OOD and shifted sets, one file of them in memory at a time."""

from selfdoubt.data import datasets
from selfdoubt.evaluation import prediction_tables
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import cli, computing, randomness


def run(arguments):
    model = checkpoints.load_model(arguments.checkpoint, computing.prepare(arguments.settings))
    n_passes = arguments.settings.mc_dropout_passes if inference.has_dropout(model) else 0
    disagrees = hasattr(model, "disagreement")
    splits, logits, uncertainties, disagreements = {}, {}, {}, {}
    for path in [arguments.val, arguments.test, *arguments.ood, *arguments.shifted]:
        for name, split in datasets.each(path):
            logits[name] = inference.predict_logits(model, split.images)
            if n_passes:
                seed = randomness.key(arguments.replicate, f"mc-dropout/{name}")
                uncertainties[name] = inference.mc_dropout(model, split.images, n_passes, seed)
            if disagrees:
                disagreements[name] = inference.predict_disagreement(model, split.images)
            splits[name] = datasets.without_images(split)
        del split  # its images, before the next file is read
    signals = {"mc_dropout": uncertainties} if n_passes else {}
    signals |= {"disagreement": disagreements} if disagrees else {}
    prediction_tables.write_predictions(arguments.output, splits, logits, signals, arguments.metadata)


if __name__ == "__main__":
    files = {"checkpoint": "of the model", "val": "split", "test": "split", "ood": "splits", "shifted": "splits"}
    written = {"output": "written: predictions"}
    cli.main(run, files | written, several=("ood", "shifted"), replicated=True, computes=True)
