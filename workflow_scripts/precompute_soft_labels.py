"""Compute the targets of every view of every epoch of a stream, once for all students that share them."""

from selfdoubt.data import own_images
from selfdoubt.distillation import soft_labels, teachers
from selfdoubt.runtime import cli, devices, randomness
from selfdoubt.training import batches


def run(arguments):
    settings = arguments.settings
    device = devices.prepare(settings.device, settings.threads)
    asked = teachers.of_job(arguments, device, devices.precision_on(device, settings.precision))
    train, _ = own_images.read_train(arguments.train, settings, arguments.replicate)
    mixer, n_views = batches.mixer_of(arguments, train), getattr(settings, "teacher_views", 1)
    stream = batches.Stream(train, settings, randomness.seed_of(arguments), device, mixer, n_views=n_views)
    gigabytes, seconds = soft_labels.estimate(asked, stream, settings.epochs)
    print(f"estimate: {gigabytes:.3g} GB, {seconds:.3g} s; without a file, each student would take as long for them")
    if settings.max_gb is not None and gigabytes > settings.max_gb:
        reason = f"soft labels would take {gigabytes:.3g} GB, max_gb is {settings.max_gb}: students run their teachers"
        soft_labels.write_refusal(arguments.output, reason, arguments.metadata)
    else:
        soft_labels.write(arguments.output, asked, stream, settings.epochs, arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "teacher": "a classifier's checkpoint, or those of several"}
    files["masks"] = "of the training images by a segmenter, where they are mixed by those"
    files["output"] = "written: soft labels"
    cli.main(run, files, several=("teacher", "masks"), replicated=True, computes=True)
