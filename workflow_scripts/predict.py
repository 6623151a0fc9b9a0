"""Ask a model about every image of val, test, OOD and shifted sets."""

from selfdoubt import checkpoints, commands, datasets, devices, inference


def run(arguments):
    model = checkpoints.load_model(arguments.checkpoint, devices.prepare("auto", threads=1))
    paths = [arguments.val, arguments.test, *arguments.ood, *arguments.shifted]
    splits = datasets.read_all(paths)
    logits = {name: inference.predict_logits(model, split.images) for name, split in splits.items()}
    inference.write_predictions(arguments.output, splits, logits, metadata=arguments.metadata)


if __name__ == "__main__":
    files = {"checkpoint": "of the model", "val": "split", "test": "split", "ood": "splits", "shifted": "splits"}
    commands.main(run, files | {"output": "written: predictions"}, several=("ood", "shifted"), computes=True)
