"""The training images as a reproducible sequence of batches.

Whatever is random about an epoch is drawn from generators named by (seed, purpose, epoch), for each image by its
position in the data set: so any batch of any epoch can be made again by itself, by any rank, in any run.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from selfdoubt import augmentation
from selfdoubt.errors import UserError


@dataclass(frozen=True)
class Batch:
    """One training step's data. Without mixing, `weight` is None and `other_labels` are the labels."""

    images: torch.Tensor  # float32 (b, C, H, W) in [0, 1]
    labels: torch.Tensor  # (b,)
    other_labels: torch.Tensor  # (b,) of the image that was pasted
    weight: torch.Tensor | None  # (b,) of `labels`
    epoch: int = 0
    rows: slice | None = None  # of the epoch's order: which images these are
    n_whole: int = 0  # images of the batch on all ranks together


class Stream:
    """The training images, kept as uint8 on the device, as batches of views."""

    def __init__(self, split, recipe, seed: int, device: torch.device, mixing=None, masks=None, rank=0, n_ranks=1):
        """mixing: settings of config.yaml's `mixing`, or None. masks: bool (n, H, W), where mixing needs them.

        rank, n_ranks: which of the processes this is that share each batch.
        Raises UserError if the last batch of an epoch would leave a rank without images.
        """
        images = torch.tensor(split.images)
        if masks is not None:
            images = torch.cat([images, torch.from_numpy(masks).to(torch.uint8)[:, None]], 1)
        self._padded = augmentation.pad(images, recipe.shift_px).to(device)
        self._labels = torch.tensor(split.labels).to(device)
        self._shape = (len(split.images), *split.images.shape[2:])
        self._recipe, self._seed, self._mixing = recipe, seed, mixing
        self._rank, self._n_ranks = rank, n_ranks
        last = self.rows_per_epoch - (self.n_batches - 1) * recipe.batch_size
        if last < n_ranks:
            raise UserError(f"recipes: batch_size {recipe.batch_size} ends with {last} for {n_ranks} ranks; change it")

    @property
    def n_batches(self) -> int:
        """Steps in an epoch; the last batch may be smaller, but one image alone has no batch statistics."""
        whole, left = divmod(self._shape[0], self._recipe.batch_size)
        return whole + (left > 1)

    @property
    def rows_per_epoch(self) -> int:
        """Images that an epoch shows, on all ranks together."""
        return min(self._shape[0], self.n_batches * self._recipe.batch_size)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch from batch `first` on; the same epoch always yields the same."""
        recipe, device = self._recipe, self._padded.device
        views = augmentation.draw_views(self._seed, epoch, self._shape, recipe.shift_px, recipe.flip)
        views, mixing = _to(device, views), None
        if self._mixing is not None:
            mixing = _to(device, augmentation.draw_mixing(self._seed, epoch, self._shape, self._mixing))
        for start in range(first * recipe.batch_size, self.rows_per_epoch, recipe.batch_size):
            stop = min(start + recipe.batch_size, self.rows_per_epoch)
            rows = slice(start + self._rank, stop, self._n_ranks)
            yield Batch(*self._views(views.order[rows], views, mixing), epoch, rows, stop - start)

    def _views(self, index: torch.Tensor, views, mixing) -> tuple:
        images, labels = augmentation.see(self._padded, index, views), self._labels[index]
        if mixing is None:
            return images.float() / 255, labels, labels, None
        chosen = mixing.mixed[index].nonzero()[:, 0]
        where, partner = index[chosen], mixing.partner[index[chosen]]
        mixer = augmentation.MIXERS[self._mixing.method]
        source = augmentation.see(self._padded, partner, views)
        mixed, share = mixer(images[chosen], source, mixing, where)
        images = images[:, : mixed.shape[1]].float()  # without the mask's channel
        images[chosen] = mixed.float()
        other, weight = labels.clone(), torch.ones(len(index), device=images.device)
        other[chosen], weight[chosen] = self._labels[partner], share.float()
        return images / 255, labels, other, weight


def _to(device: torch.device, drawn):
    return type(drawn)(**{name: tensor.to(device) for name, tensor in vars(drawn).items()})
