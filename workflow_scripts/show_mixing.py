"""Keep a few pairs of training images and what a model's mixing makes of them."""

from selfdoubt.data import own_images
from selfdoubt.runtime import cli, devices, methods, randomness, tensor_files
from selfdoubt.segmentation import mixed_examples

N_EXAMPLES = 8  # of which a figure shows the first ones


def run(arguments):
    devices.prepare("cpu", threads=1)
    settings, seed = arguments.settings, randomness.seed_of(arguments)
    train, _ = own_images.read_train(arguments.train, settings, arguments.replicate)
    mixer = methods.load("mixing", "mixer").of_job(arguments, train)
    found = mixed_examples.examples(train, mixer, settings, seed, N_EXAMPLES)
    tensor_files.write(arguments.output, found, arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "masks": "of its images by a segmenter, where they are mixed by those"}
    cli.main(run, files | {"output": "written: examples"}, several=("masks",), replicated=True)
