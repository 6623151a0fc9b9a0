"""Let a group decide whose members are run again: on messages that they send each other, or on views."""

from selfdoubt.communication import decisions, kept_gains
from selfdoubt.data import datasets, own_images
from selfdoubt.evaluation import prediction_tables
from selfdoubt.models import checkpoints
from selfdoubt.runtime import cli, computing, devices, table_files
from selfdoubt.runtime.schemas.gains import GAINS_SCHEMA
from selfdoubt.runtime.schemas.persuasion import PERSUASION_SCHEMA


def run(arguments):
    device, settings = computing.prepare(arguments.settings), arguments.settings
    if hasattr(settings, "precision"):  # of gradients, which views have none of
        settings.precision = devices.precision_on(device, settings.precision)
    named = zip(settings.members, arguments.members, strict=True)
    models = {name: checkpoints.load_model(path, device) for name, path in named}
    splits = datasets.read_all([arguments.val, arguments.test, *arguments.ood])
    decision = decisions.decide(models, splits | training_images(arguments), settings, arguments.replicate)
    print(f"weight fitted on val: {decision.weight}; rounds: {decision.rounds}; passes of one image: {decision.costs}")
    found = {"costs_per_image": decision.costs, "precision": getattr(settings, "precision", None)}
    found |= {"weight": decision.weight, "rounds": decision.rounds, "chosen_on_val": decision.chosen}
    metadata = arguments.metadata | {name: value for name, value in found.items() if value is not None}
    logits_are = table_files.LOG_PROBABILITIES
    prediction_tables.write_predictions(arguments.output, splits, decision.logits, metadata=metadata | logits_are)
    kept = kept_gains.to_table(decision.kept or {}, splits)
    table_files.write_table(arguments.gains, kept, GAINS_SCHEMA, metadata)
    table_files.write_rows(arguments.persuasion, decision.persuasion, PERSUASION_SCHEMA, metadata)


def training_images(arguments):
    if not arguments.train:
        return {}
    (path,) = arguments.train
    return {"train": own_images.read_train(path, arguments.settings, arguments.replicate)[0]}


if __name__ == "__main__":
    files = {
        "members": "their checkpoints",
        "train": "split, where it is learned from",
        "val": "split",
        "test": "split",
        "ood": "splits",
    }
    written = {"output": "written: the group's predictions", "persuasion": "written: who persuades whom"}
    written |= {"gains": "written: of each image of val and test about which the group is uncertain"}
    cli.main(run, files | written, several=("members", "train", "ood"), replicated=True, computes=True)
