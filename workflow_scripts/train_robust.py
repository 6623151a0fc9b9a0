"""Fine-tune a trained network on images that are moved to where its loss is larger."""

from selfdoubt.runtime import cli
from selfdoubt.training import loop, losses


def run(arguments):
    objective = losses.of_label_model(arguments.settings)
    loop.train_to_files(arguments, lambda device, precision: objective)


if __name__ == "__main__":
    files = loop.FILES | loop.OPTIONAL | {"start": "the checkpoint of the model that is fine-tuned"}
    cli.main(run, files, several=loop.SEVERAL, optional=tuple(loop.OPTIONAL), replicated=True, computes=True)
