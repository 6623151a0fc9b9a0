"""Train a segmentation network on a teacher's class activation maps."""

from selfdoubt.data import masks, own_images
from selfdoubt.models import checkpoints, weight_files
from selfdoubt.runtime import cli, devices
from selfdoubt.segmentation import activation_maps, segmenter
from selfdoubt.training import progress


def run(arguments):
    settings, seed = (
        arguments.settings,
        getattr(arguments.settings, "replicate", 0),
    )  # 0: one segmenter for all replicates
    train, _ = own_images.read_train(arguments.train, settings, seed)
    device, channels = devices.prepare(settings.device, settings.threads), train.images.shape[1]
    print(devices.describe(device, "float32", settings.threads), flush=True)
    teacher = checkpoints.load_model(arguments.teacher, device)
    maps = activation_maps.activation_maps(teacher, train.images, train.labels)
    maps = activation_maps.refine(maps, train.images, settings.refinement_steps, device)
    pseudo = activation_maps.pseudo_labels(maps, settings.foreground_above, settings.background_below)
    network = segmenter.build_segmenter(settings, channels, seed)
    weights = arguments.weights[0] if arguments.weights else None
    if weights or getattr(settings, "encoder_weights", None):
        segmenter.load_encoder(network, settings.encoder, channels, weights)
    record = progress.Progress(arguments.progress, settings.epochs)
    segmenter.train_segmenter(network, train.images, pseudo, settings, seed, device, record)
    metadata = arguments.metadata | {"channels": channels, "device": device.type}
    if getattr(settings, "recall", None):
        metadata["threshold"] = segmenter.threshold_of_recall(network, train.images, pseudo, settings.recall)
    metadata |= {"weights": weight_files.sha256(weights)} if weights else {}
    checkpoints.save(arguments.network, network, metadata)
    masks.write_masks(arguments.pseudo_masks, pseudo == 1, metadata)
    record.end()


if __name__ == "__main__":
    files = {"train": "the training split", "teacher": "a classifier's checkpoint"}
    files |= {"weights": "of the encoder; left out: none, or the published ones"}
    files |= {"network": "written: the segmenter", "pseudo-masks": "written: the pixels annotated as object"}
    files |= {"progress": "written: JSON lines for watch.py"}
    cli.main(run, files, optional=("progress",), several=("weights",), computes=True)
