"""Convert images of other things to the size and channels of a data set."""

from selfdoubt import commands, datasets


def run(arguments):
    _, channels, size_px, _ = datasets.read_split(arguments.like, "val").images.shape
    images = datasets.load_ood(arguments.settings.source, channels, size_px)
    datasets.write_splits(arguments.output, {f"ood-{arguments.output.stem}": images}, arguments.metadata)


if __name__ == "__main__":
    commands.main(run, {"like": "a split whose size and channels to take", "output": "written"})
