"""Compute a teacher's logits of every view of every epoch of a stream, once for all of its students."""

from selfdoubt.data import own_images
from selfdoubt.distillation import soft_labels
from selfdoubt.models import checkpoints
from selfdoubt.runtime import cli, devices, randomness
from selfdoubt.training import batches


def run(arguments):
    settings = arguments.settings
    device = devices.prepare(settings.device, settings.threads)
    model = checkpoints.load_model(arguments.teacher, device)
    teacher = soft_labels.Teacher(model, devices.precision_on(device, settings.precision))
    train, _ = own_images.read_train(arguments.train, settings, arguments.replicate)
    stream = batches.Stream(train, settings, randomness.seed_of(arguments), device)
    gigabytes, seconds = soft_labels.estimate(teacher, stream, settings.epochs, settings.top_k)
    print(f"estimate: {gigabytes:.3g} GB, {seconds:.3g} s; without a file, each student would take as long for them")
    if settings.max_gb is not None and gigabytes > settings.max_gb:
        reason = f"soft labels would take {gigabytes:.3g} GB, max_gb is {settings.max_gb}: students run the teacher"
        soft_labels.write_refusal(arguments.output, reason, arguments.metadata)
    else:
        soft_labels.write(arguments.output, teacher, stream, settings.epochs, settings.top_k, arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "teacher": "a classifier's checkpoint", "output": "written: soft labels"}
    cli.main(run, files, replicated=True, computes=True)
