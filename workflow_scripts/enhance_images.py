"""Select an enhancer's settings on val, and predict the enhanced images of every split."""

import numpy as np

from selfdoubt.data import datasets, own_images
from selfdoubt.enhancers import examples, lots, selection
from selfdoubt.evaluation import prediction_tables
from selfdoubt.models import checkpoints
from selfdoubt.runtime import cli, computing, devices

N_EXAMPLES = 16  # kept for figures


def run(arguments):
    device, settings = computing.prepare(arguments.settings), arguments.settings
    attack = getattr(settings, "attacked_by", None)
    for each in (settings, attack, getattr(settings, "trained_against", None)):
        if hasattr(each, "precision"):  # of gradients, where a method has any
            each.precision = devices.precision_on(device, each.precision)
    model = checkpoints.load_model(arguments.checkpoint, device)
    splits = datasets.read_all([arguments.val, arguments.test, *arguments.ood, *arguments.shifted])
    done = selection.enhance(model, splits, settings, arguments.replicate, others_of(arguments, device))
    print(f"chosen: {done.chosen}; passes of one image: {done.costs}")
    metadata = arguments.metadata | {"chosen": done.chosen, "tried": done.tried, "costs_per_image": done.costs}
    tested = {name: splits[name] for name in done.logits}  # without a set that the settings were tuned on
    prediction_tables.write_predictions(arguments.output, tested, done.logits, done.signals, metadata)
    kept = selection.examples(model, splits["test"], N_EXAMPLES, done, arguments.replicate)
    free = done.chosen.get("n_steps", 0) * done.chosen.get("step_255", 0.0)  # the farthest, where nothing bounds it
    epsilon_255 = np.array(done.chosen.get("epsilon_255", free) + (attack.epsilon_255 if attack else 0))
    examples.write(arguments.examples, kept._asdict() | {"epsilon_255": epsilon_255})


def others_of(arguments, device) -> lots.Others:
    """Return the models besides its own by whose errors an enhancer learns."""
    others = [checkpoints.load_model(path, device) for path in arguments.errors_of]
    siblings = [checkpoints.load_model(path, device) for path in arguments.siblings]
    if not siblings:
        return lots.Others(*others)
    (path,), settings = arguments.train, arguments.settings
    train, _ = own_images.read_train(path, settings, arguments.replicate)
    unseen = own_images.held_out(path, settings, arguments.replicate, settings.siblings)
    taken = [datasets.take(train, np.flatnonzero(rows)) for rows in unseen]
    held_out = [lots.Lot(model, part.images, part.labels) for model, part in zip(siblings, taken, strict=True)]
    return lots.Others(others[0] if others else None, tuple(held_out))


if __name__ == "__main__":
    files = {"checkpoint": "of the model", "val": "split", "test": "split", "ood": "splits", "shifted": "splits"}
    files |= {"train": "split, where it is learned from", "siblings": "checkpoints of folds", "errors-of": "checkpoint"}
    written = {"output": "written: predictions", "examples": "written: a few images before and after"}
    cli.main(
        run,
        files | written,
        several=("ood", "shifted", "train", "siblings", "errors-of"),
        replicated=True,
        computes=True,
    )
