"""Train a network on mixed images: blended, or boxes, or objects cut out by their masks."""

from selfdoubt.mixing import masks
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.runtime import cli, randomness
from selfdoubt.training import loop, mixed_losses


def run(arguments):
    settings, seed = arguments.settings, randomness.seed_of(arguments)
    objective = mixed_losses.of_augmented(settings)

    def make_mixer(train):
        return Mixer(settings.mixing, masks.masks_for_mixing(train, settings, *(arguments.masks or [None]), seed))

    loop.train_to_files(arguments, lambda device, precision: objective, make_mixer)


if __name__ == "__main__":
    files = loop.FILES | loop.OPTIONAL
    files["masks"] = "of the training images by a segmenter, where they are mixed by those"
    optional = tuple(loop.OPTIONAL)
    cli.main(run, files, several=("masks", *loop.SEVERAL), optional=optional, replicated=True, computes=True)
