"""Train a segmentation network on what a teacher's maps show of the object."""

from selfdoubt.data import masks, own_images
from selfdoubt.models import checkpoints, weight_files
from selfdoubt.runtime import cli, devices
from selfdoubt.segmentation import pseudo_labels, segmenter
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
    network, pseudo = None, pseudo_labels.of_teacher(teacher, train.images, train.labels, settings, device)
    weights = arguments.weights[0] if arguments.weights else None
    n_rounds = getattr(settings, "rounds", None) or 1
    record = progress.Progress(arguments.progress, n_rounds * settings.epochs)
    for i in range(n_rounds):
        if network is not None:
            pseudo = pseudo_labels.of_segmenter(network, train.images, settings, device)
        network = segmenter.build_segmenter(settings, channels, seed)
        if weights or getattr(settings, "encoder_weights", None):
            segmenter.load_encoder(network, settings.encoder, channels, weights)
        done = i * settings.epochs
        segmenter.train_segmenter(network, train.images, pseudo, settings, seed, device, record, done)
    network.colour_steps = getattr(settings, "colour_steps", None) or 0  # of masks, and not of what rounds learn from
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
