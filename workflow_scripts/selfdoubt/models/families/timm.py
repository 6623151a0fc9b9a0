"""Any network of timm by its name: untrained, with its published weights, or with those of a file.

Weights are loaded whole into a network of their own class count, so that a file of another network is refused and not
taken in part; where the images have other classes, all but the head then moves into a network with a new head.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from selfdoubt.models import efficientnet_names, weight_files
from selfdoubt.models.network import Network
from selfdoubt.runtime.errors import UserError, lacks_memory, lacks_room
from selfdoubt.settings import timm_names

_SMALL_PX = 64  # inputs up to this side get a stem without down-sampling
_HEADS = ("head.fc", "head", "fc", "classifier")  # names of heads in files that do not follow timm's


def build(
    network, n_classes: int, channels: int, size_px: int, weights: str | Path | None = None, keep_head: bool = False
) -> Network:
    """Build a network of timm, with weights where `weights` or `pretrained` name any.

    network: `name`, `pretrained`, `patch_px` and `input_px` ("data" or "pretrained", whose size the input has); where
    there are weights `weights_key`, and `mean` and `deviation` if they were not trained with those of timm's config.
    weights: a file, in place of the published ones. keep_head: whether the weights must have n_classes classes.
    Raises UserError if timm has no such name, the images do not fit, or the weights are missing or do not fit.
    """
    config = _config_of(network.name)
    size = config.input_size[1:] if network.input_px == "pretrained" else (size_px, size_px)
    small = network.input_px == "data" and size_px <= _SMALL_PX
    options = {"in_chans": channels}
    if config.fixed_input_size:  # transformers: the grid of patches is fixed
        options |= {"img_size": size, **({"patch_size": network.patch_px} if small else {})}
    trained = bool(weights) or network.pretrained
    place = f"timm's {network.name} for images of {channels} x {size[0]} x {size[1]}"
    body = _create(network.name, place, num_classes=n_classes, **options)
    state = _read(weights, network, body) if weights else None
    n_trained = _n_classes_of(state, config) if trained else n_classes
    if keep_head and n_trained != n_classes:
        found = f"{weights or network.name}: has a head of {n_trained} classes, and the data have {n_classes}"
        remedy = "it can only be evaluated on data of its own classes, or trained on these"
        raise UserError(f"{found}; {_headless(state) if state and not n_trained else remedy}")
    if trained:
        donor = _trained(network.name, state, weights or network.name, place, num_classes=n_trained, **options)
        _move(donor, body, _heads_of(config), n_trained, n_classes, weights or network.name)
    if small:
        _keep_resolution(body)
    maps = _maps_of(body, (1, channels, *size), n_classes, place)
    normalisation = _normalisation_of(network, config, channels) if trained else None
    resized = None if size == (size_px, size_px) else tuple(size)
    return Network(body, _heads_of(config), maps, normalisation, resized)


def with_weights(
    name: str, channels: int, weights: str | Path | None
) -> tuple[nn.Module, tuple[list[float], list[float]]]:
    """Return a network of timm with the weights of a file, or its published ones, and their mean and deviation.

    Its head is that of the weights. Raises UserError as `build` does.
    """
    config, place = _config_of(name), f"timm's {name} for images of {channels} channels"
    state = _read(weights, None, _create(name, place, in_chans=channels)) if weights else None
    options = {"num_classes": _n_classes_of(state, config), "in_chans": channels}
    return _trained(name, state, weights or name, place, **options), _normalisation_of(None, config, channels)


# ---- networks and their configs in timm ----


def _config_of(name: str):
    import timm

    if (fault := timm_names.fault_of(name)) or not timm.is_model(name):
        raise UserError(f"networks: {fault or f'timm has no model {name}; choose another name'}")
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:
        known = ", ".join(timm.list_pretrained(f"{name.partition('.')[0]}.*")) or "none"
        raise UserError(f"networks: timm has no weights '{name}'; choose from {known}") from None
    if config is None:
        raise UserError(f"networks: timm has no config of '{name}', such as its input's size; choose another network")
    return config


def _heads_of(config) -> tuple[str, ...]:
    heads = config.classifier or ()
    return (heads,) if isinstance(heads, str) else tuple(heads)


def _normalisation_of(network, config, channels: int) -> tuple[list[float], list[float]]:
    """Return mean and deviation that the weights were trained with; their averages if the channels are not as many."""
    known = (getattr(network, "mean", None) or config.mean, getattr(network, "deviation", None) or config.std)
    return tuple(list(v) if len(v) == channels else [sum(v) / len(v)] * channels for v in known)


def _create(name: str, place: str, **options) -> nn.Module:
    import timm

    with _faults_of(f"networks: cannot build {place}", "choose another network, or input_px: pretrained"):
        return timm.create_model(name, **options)


# ---- weights ----


def _read(path: str | Path, network, body: nn.Module) -> dict[str, torch.Tensor]:
    state = weight_files.read(path, getattr(network, "weights_key", None))
    return efficientnet_names.renamed(state, body)


def _n_classes_of(state: dict | None, config) -> int:
    """Return the classes of a state dict's head, 0 if it has none; of the published weights without one."""
    if state is None:
        return config.num_classes
    names = [f"{head}.weight" for head in (*_heads_of(config), *_HEADS)]
    return next((len(state[name]) for name in names if name in state), 0)


def _headless(state: dict) -> str:
    return f"its names begin as {next(iter(state))}; weights_key can name what comes before timm's"


def _trained(name: str, state: dict | None, source, place: str, **options) -> nn.Module:
    """Build a network with all weights of a state dict, or with the published ones; both must fit to the last name."""
    import timm

    config = timm.get_pretrained_cfg(name)
    if state is None and not config.has_weights:
        raise UserError(f"networks: timm has no published weights of {name}; name a file under 'weights:'")
    given = {} if state is None else {"state_dict": state, "num_classes": options["num_classes"]}
    try:
        with _faults_of(f"{source}: does not fit {place}", "expected its state dict"):
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=given, **options)
    except OSError as error:
        if state is not None or lacks_room(error):
            raise
        hub = f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"
        wanted = hub if config.hf_hub_id else config.url
        raise UserError(
            f"networks: cannot download {name} ({_summary(error)}); fetch {wanted} and name the file under 'weights:'"
        ) from None


def _move(donor: nn.Module, body: nn.Module, heads: tuple[str, ...], n_trained: int, n_classes: int, source) -> None:
    """Load all weights of the donor into the body, but for a head of another class count."""
    ours, theirs = body.state_dict(), donor.state_dict()
    if n_trained != n_classes:
        new = {name for name in ours if name.startswith(tuple(f"{head}." for head in heads))}
        theirs = {name: tensor for name, tensor in theirs.items() if name not in new}
        if missing := [name for name in ours if name not in theirs and name not in new]:
            raise UserError(f"{source}: {missing[0]} is not in it, and is no part of the head; choose other weights")
        theirs |= {name: ours[name] for name in new}
        print(f"{source}: {n_trained} classes, {n_classes} here; not taken: {', '.join(sorted(new))}", flush=True)
    body.load_state_dict(theirs)


# ---- small images ----


def _keep_resolution(body: nn.Module) -> None:
    """Give a convolutional stem stride 1 and no pooling, as the CIFAR variants of these networks have."""
    names = body.pretrained_cfg["first_conv"] or ""  # the body itself, which is no convolution
    stem = body.get_submodule(names if isinstance(names, str) else names[0])
    if isinstance(stem, nn.Conv2d) and stem.kernel_size[0] > stem.stride[0]:  # not a patch embedding
        stem.stride = (1, 1)
    if isinstance(getattr(body, "maxpool", None), nn.Module):
        body.maxpool = nn.Identity()


# ---- a trial run ----


@torch.no_grad()
def _maps_of(body: nn.Module, shape: tuple[int, ...], n_classes: int, place: str) -> tuple[str, ...]:
    """Return the stages whose outputs are maps (n, c, h, w), found by running the network on a black image.

    timm lists the stages and their widths. Where one puts out tokens, or maps with channels last as Swin's do, none is
    returned: shallow stages alone do not show where the object is. Raises UserError if the network fails on such an
    image, or its logits are not (1, n_classes).
    """
    stages = {info["module"]: info["num_chs"] for info in getattr(body, "feature_info", None) or []}
    modules = dict(body.named_modules())
    seen, hooks = {}, []
    for name in stages.keys() & modules.keys():
        hooks.append(modules[name].register_forward_hook(lambda _, __, out, name=name: seen.update({name: out})))
    training = body.training
    try:
        with _faults_of(f"networks: {place} does not work", "choose another network, or input_px: pretrained"):
            logits = body.eval()(torch.zeros(shape))
    finally:
        body.train(training)
        for hook in hooks:
            hook.remove()
    if tuple(logits.shape) != (1, n_classes):
        raise UserError(f"networks: {place} gives {tuple(logits.shape)}, not {n_classes} logits; choose another one")
    return tuple(stages) if all(_is_map(seen.get(name), width) for name, width in stages.items()) else ()


def _is_map(found, width: int) -> bool:
    """Return whether a stage put out (1, width, h, w); with channels last it would be (1, h, w, width)."""
    return isinstance(found, torch.Tensor) and found.ndim == 4 and found.shape[1] == width


@contextmanager
def _faults_of(what: str, then: str) -> Iterator[None]:
    """Raise whatever timm raises as a UserError, "what (why); then"; lack of memory and the system's faults pass."""
    try:
        yield
    except Exception as error:
        if lacks_memory(error) or isinstance(error, OSError):
            raise
        raise UserError(f"{what} ({_summary(error)}); {then}") from error


def _summary(error: Exception) -> str:
    if isinstance(error, TypeError) and "BaseException" in str(error):  # timm raises a text, which its line shows
        return traceback.extract_tb(error.__traceback__)[-1].line or "timm states no reason"
    return " ".join(str(error).split())[:200] or type(error).__name__
