"""Train a segmentation network from scratch on a teacher's class activation maps."""

from selfdoubt.data import datasets, masks
from selfdoubt.models import checkpoints
from selfdoubt.runtime import cli, devices
from selfdoubt.segmentation import activation_maps, segmenter
from selfdoubt.training import progress

SEED = 0  # one segmenter serves the models of all replicates


def run(arguments):
    settings, train = arguments.settings, datasets.read_split(arguments.train, "train")
    device, channels = devices.prepare(settings.device, settings.threads), train.images.shape[1]
    print(devices.describe(device, "float32", settings.threads), flush=True)
    teacher = checkpoints.load_model(arguments.teacher, device)
    maps = activation_maps.activation_maps(teacher, train.images, train.labels)
    maps = activation_maps.refine(maps, train.images, settings.refinement_steps, device)
    pseudo = activation_maps.pseudo_labels(maps, settings.foreground_above, settings.background_below)
    network = segmenter.build_segmenter(settings, channels, SEED)
    record = progress.Progress(arguments.progress, settings.epochs)
    segmenter.train_segmenter(network, train.images, pseudo, settings, SEED, device, record)
    metadata = arguments.metadata | {"channels": channels, "device": device.type}
    checkpoints.save(arguments.network, network, metadata)
    masks.write_masks(arguments.pseudo_masks, pseudo == 1, metadata)
    record.end()


if __name__ == "__main__":
    files = {"train": "the training split", "teacher": "a classifier's checkpoint"}
    files |= {"network": "written: the segmenter", "pseudo-masks": "written: the pixels annotated as object"}
    files |= {"progress": "written: JSON lines for watch.py"}
    cli.main(run, files, optional=("progress",), computes=True)
