"""Which state dict of a file of weights is meant, and what wrappers of a network put before its names.

Programs keep it under a key of their own, beside another for the moving average of the weights, and save networks from
within DataParallel, torch.compile, Lightning or an averaging wrapper.
"""

from collections.abc import Iterator

import torch

from selfdoubt.runtime.errors import UserError

_AVERAGES = ("state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "model_state_dict_ema", "ema")
_INSIDE = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params", "module")
_KEYS = (*_AVERAGES, *_INSIDE)  # in this order: as timm does, the average is taken where there is one
_WRAPPERS = ("module", "model", "net", "network", "_orig_mod", *_AVERAGES)  # before every name
_INNER = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")  # of compiled or wrapped parts, anywhere
_DEEPEST = 4  # of dicts in dicts

State = dict[str, torch.Tensor]


def choose(found, key: str | None = None) -> tuple[State, str]:
    """Return a state dict with the network's own names, and a note where another one might be meant, else "".

    found: what a file holds. key: names of dicts from the outermost inwards, joined by dots, such as `ema.state_dict`,
    and then the beginning of the names in it, if others have another one. None: a key that programs use.
    Raises UserError, without the file's name, if there is no state dict, no such one, or no way to choose.
    """
    known = dict(_all_in(found)) if isinstance(found, dict) else {}
    if not known:
        inside = ", ".join(map(str, list(found)[:5])) if isinstance(found, dict) else ""
        what = f"a {type(found).__name__}{f' with {inside}' if inside else ''}"
        raise UserError(f"expected a state dict, tensors by name, at the top or below it, and found {what}")
    place, start = _meant(known, key) if key else (_first(known), "")
    state = {name.removeprefix(start): tensor for name, tensor in known[place].items() if name.startswith(start)}
    state, prefix = _unwrapped(state)
    others = [each for each in known if each != place]
    if key or not (others or prefix):
        return state, ""
    taken = [f"takes '{place}'"] if place else []
    taken += [f"without '{prefix}' before names"] if prefix else []
    also = f"; also in it: {_listed(others)}; weights_key chooses" if others else ""
    return state, f"{', '.join(taken) or 'takes the tensors at the top'}{also}"


def _all_in(found: dict, above: tuple[str, ...] = ()) -> Iterator[tuple[str, State]]:
    """Yield the dicts that have tensors of two dimensions or more, by the names above them joined with dots."""
    tensors = {name: each for name, each in found.items() if isinstance(name, str) and isinstance(each, torch.Tensor)}
    if any(tensor.ndim > 1 for tensor in tensors.values()):
        yield ".".join(above), tensors
    if len(above) < _DEEPEST:
        for name, each in found.items():
            if isinstance(name, str) and isinstance(each, dict):
                yield from _all_in(each, (*above, name))


def _first(known: dict[str, State]) -> str:
    """Return the place of the state dict that is meant, if its key is given or there is no other."""
    usual = [place for place in known if all(part in _KEYS for part in place.split("."))]
    if usual:
        return min(usual, key=lambda place: [_KEYS.index(part) for part in place.split(".")])
    if "" in known or len(known) == 1:
        return "" if "" in known else next(iter(known))
    raise UserError(f"has several state dicts, {_listed(known)}; name one with weights_key")


def _meant(known: dict[str, State], key: str) -> tuple[str, str]:
    """Return the place of a state dict, and the beginning of the names in it, that a key means."""
    if key in known:
        return key, ""
    for place in sorted(known, key=len, reverse=True):
        start = f"{key.removeprefix(place).removeprefix('.')}."
        if key.startswith(f"{place}." if place else "") and any(name.startswith(start) for name in known[place]):
            return place, start
    raise UserError(f"has no state dict '{key}'; weights_key may be {_listed(known)}")


def _unwrapped(state: State) -> tuple[State, str]:
    """Return a state dict without what wrappers put before every name, and that beginning."""
    if all(name == "n_averaged" or name.startswith("module.") for name in state):  # of torch's AveragedModel
        state = {name: tensor for name, tensor in state.items() if name != "n_averaged"}
    prefix = ""
    while len(firsts := {name.partition(".")[0] for name in state}) == 1 and (first := firsts.pop()) in _WRAPPERS:
        if first in state:  # a tensor of that name
            break
        state = {name.removeprefix(f"{first}."): tensor for name, tensor in state.items()}
        prefix += f"{first}."
    return {".".join(p for p in name.split(".") if p not in _INNER): each for name, each in state.items()}, prefix


def _listed(places) -> str:
    return ", ".join(f"'{place}'" if place else "the tensors at the top" for place in list(places)[:8])
