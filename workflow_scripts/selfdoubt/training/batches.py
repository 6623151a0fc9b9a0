"""The training images as a reproducible sequence of batches.

Whatever is random about an epoch is drawn from generators named by (seed, purpose, epoch), for each image by its
position in the data set: so any batch of any epoch can be made again by itself, by any rank, in any run.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.utils.data

from selfdoubt.data.image_files import ImageFiles
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import augmentation, crops
from selfdoubt.training.distributed import ALONE, Ranks

_BYTES_AT_ONCE = 2**20  # of the views of several batches


@dataclass(frozen=True)
class Batch:
    """The data of a training step. Without mixing, `weight` is None and `other_labels` are the labels."""

    images: torch.Tensor  # float32 (b, C, H, W) in [0, 1]
    labels: torch.Tensor  # (b,) of the image, or of the target where images are mixed
    other_labels: torch.Tensor  # (b,) of the source, where images are mixed
    weight: torch.Tensor | None  # (b,) of `labels`, or (b, 2) as `mixing.draws` has it
    epoch: int = 0
    rows: slice | None = None  # of the epoch's order, in which these images stand
    n_whole: int = 0  # number of images of the batch on all ranks together
    positions: torch.Tensor | None = None  # (b,) of the images in the data set
    mixed: "Batch | None" = None  # further ones, whose images follow in `images`
    further: tuple[torch.Tensor, ...] = ()  # further views of the images, each as `images`
    label_probabilities: torch.Tensor | None = None  # float32 (b, K) of the images, if the data set has them


class Stream:
    """The training images as batches of views, divided among the ranks that train together."""

    def __init__(
        self, split, recipe, seed: int, device: torch.device, mixer=None, ranks: Ranks = ALONE, n_views: int = 1
    ):
        """Prepare a training split.

        seed: of order, views and mixing. mixer: a `mixing.mixer.Mixer`, or None. ranks: this process among those that
        divide each batch among themselves. n_views: of each image, without mixing; the first is the same whatever their
        number. Raises UserError if the recipe does not fit the images, or would leave a rank without any.
        """
        kind = _Files if isinstance(split.images, ImageFiles) else _Arrays
        self._images = kind(split.images, mixer.masks if mixer else None, recipe, device)
        self._seeds = [seed, *(randomness.key(seed, "further-view", i) for i in range(1, n_views))]  # of views
        self._labels = torch.tensor(split.labels).to(device)
        soft = split.label_probabilities
        self._label_probabilities = None if soft is None else torch.tensor(soft).to(device)
        self._shape = (len(split.images), *split.images.shape[2:])
        self.recipe, self.seed, self.ranks, self._mixer = recipe, seed, ranks, mixer
        if self.n_batches == 0:
            raise UserError(f"datasets: {self.n_images} training image gives no batch; there must be 2 or more")
        last = self.rows_per_epoch - (self.n_batches - 1) * recipe.batch_size
        if last < ranks.n:
            raise UserError(f"recipes: batch_size {recipe.batch_size} ends with {last} for {ranks.n} ranks; change it")

    @property
    def n_images(self) -> int:
        """Return the number of images of the training set."""
        return self._shape[0]

    @property
    def n_batches(self) -> int:
        """Return the steps of an epoch; a last batch of one image, which has no batch statistics, is left out."""
        whole, left = divmod(self._shape[0], self.recipe.batch_size)
        return whole + (left > 1)

    @property
    def rows_per_epoch(self) -> int:
        """Return the number of images that an epoch shows, on all ranks together."""
        return min(self._shape[0], self.n_batches * self.recipe.batch_size)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch from batch `first` on; the same epoch always yields the same."""
        size, device = self.recipe.batch_size, self._labels.device
        order = augmentation.draw_order(self.seed, epoch, self._shape[0])
        starts = range(first * size, self.rows_per_epoch, size)
        stops = [min(start + size, self.rows_per_epoch) for start in starts]
        rows = [slice(start + self.ranks.rank, stop, self.ranks.n) for start, stop in zip(starts, stops, strict=True)]
        shares = [(order[each], each, stop - start) for each, start, stop in zip(rows, starts, stops, strict=True)]
        n = self._images.batches_at_once(size)
        lots = [shares[i : i + n] for i in range(0, len(shares), n)]
        indices, pairs = [torch.cat([index for index, *_ in lot]) for lot in lots], [None] * len(lots)
        shown = indices
        if self._mixer is not None:
            drawn = self._mixer.draw(self.seed, epoch, self._shape)
            made = [self._mixer.pairs(drawn, index) for index in indices]
            shown = [torch.cat([index, own.partner]) for index, (_, own) in zip(indices, made, strict=True)]
            pairs = list(zip(*(augmentation.moved(parts, device) for parts in zip(*made, strict=True)), strict=True))
        views = self._images.views(epoch, [(seed, each) for each in shown for seed in self._seeds])
        grouped = ([view, *itertools.islice(views, len(self._seeds) - 1)] for view in views)
        positions = [index for (index,) in augmentation.moved([(index,) for index in indices], device)]
        for lot, index, pair, seen in zip(lots, positions, pairs, grouped, strict=True):
            parts = self._divided(seen, index, pair, [len(own) for own, *_ in lot])
            for (_, each, n_whole), (images, further, fields) in zip(lot, parts, strict=True):
                *mixed, own, soft = fields
                yield Batch(images, *mixed, epoch, each, n_whole, own, further=further, label_probabilities=soft)

    def _divided(self, views: list, index: torch.Tensor, pair: tuple | None, sizes: list[int]) -> Iterator[tuple]:
        """Yield, of each batch of a lot, images, further views, and labels, others, weight, positions, probabilities.

        views: of each seed, of the images at `index`; the first are followed by those of the mixed images' sources.
        sizes: of the batches.
        """
        (view, *others), labels = views, self._labels[index]
        images, other_labels, weight = [view], labels, None
        if pair is not None:
            pairs, drawn = pair
            images, weight = self._mixer.mix(view[: len(index)], view[len(index) :], pairs.chosen, drawn)
            other_labels = self._labels[pairs.other]
        soft = None if self._label_probabilities is None else self._label_probabilities[index]
        fields = (labels, other_labels, weight, index, soft)
        fields = zip(*([None] * len(sizes) if each is None else each.split(sizes) for each in fields), strict=True)
        images = zip(*(each.split(sizes) for each in images), strict=True)
        further = zip(*(each.split(sizes) for each in others), strict=True) if others else [()] * len(sizes)
        for own, seen, others in zip(fields, images, further, strict=True):
            whole = seen[0] if len(seen) == 1 else torch.cat(seen)
            yield whole / 255, tuple(other / 255 for other in others), own


def mixer_of(job, train):
    """Return what a job mixes its training images by, a `mixing.mixer.Mixer`, or None.

    It is loaded by name, so that jobs which mix nothing do not depend on it.
    """
    mixes = getattr(job.settings, "mixing", None) is not None
    return methods.load("mixing", "mixer").of_job(job, train) if mixes else None


class _Arrays:
    """Images in memory, as uint8 on the device: a lot of views is one gather, or one resampling of crops."""

    def __init__(self, images: np.ndarray, masks: np.ndarray | None, recipe, device: torch.device):
        images = torch.tensor(images)
        if masks is not None:
            images = torch.cat([images, torch.from_numpy(masks).to(torch.uint8)[:, None]], 1)
        self._device, self._memory = device, InMemory(images.to(device), recipe)
        self._image_bytes = images[0].numel()

    def batches_at_once(self, batch_size: int) -> int:
        """Return of how many batches views are made at once: of small images several, which takes less time."""
        return max(1, _BYTES_AT_ONCE // (batch_size * self._image_bytes))

    def views(self, epoch: int, asked: list[tuple[int, torch.Tensor]]) -> Iterator[torch.Tensor]:
        """Yield uint8 (b, C, H, W) for each seed and index (b,) on the CPU; masks are one more channel."""
        drawn = {seed: self._memory.draw(seed, epoch) for seed, _ in asked}
        for own in augmentation.moved([drawn[seed].at(index) for seed, index in asked], self._device):
            yield self._memory.view(own)


class _Files:
    """Images in files, decoded by worker processes while the model trains.

    At most 2 n_workers + 1 batches are decoded at any time, whatever the size of the data set. Without `crop` views are
    those of images in memory, shifted and flipped alike.
    """

    def __init__(self, images: ImageFiles, masks: np.ndarray | None, recipe, device: torch.device):
        _check_crop(recipe)
        if masks is not None:
            raise UserError("masks: mixing by them needs images in memory; set the data set's storage to arrays")
        self._images, self._recipe, self._device = images, recipe, device

    def batches_at_once(self, _batch_size: int) -> int:
        """Return 1: others wait in the worker processes."""
        return 1

    def views(self, epoch: int, asked: list[tuple[int, torch.Tensor]]) -> Iterator[torch.Tensor]:
        """Yield uint8 (b, C, H, W) for each seed and index (b,); raises UserError at a file that cannot be decoded."""
        moves = (
            [None] * len(asked) if self._recipe.crop else augmentation.moved(self._moves(epoch, asked), self._device)
        )
        for batch, own in zip(self._decoded(epoch, asked), moves, strict=True):
            if isinstance(batch, UserError):
                raise batch
            batch = batch.to(self._device, non_blocking=True)
            yield batch if own is None else augmentation.view(augmentation.pad(batch, self._recipe.shift_px), own)

    def _moves(self, epoch: int, asked: list[tuple[int, torch.Tensor]]) -> list[augmentation.Moves]:
        """Return the views of each batch, whose images are alone in memory."""
        n, recipe = len(self._images), self._recipe
        drawn = {seed: augmentation.draw_views(seed, epoch, n, recipe.shift_px, recipe.flip) for seed, _ in asked}
        return [drawn[seed].at(index)._replace(index=torch.arange(len(index))) for seed, index in asked]

    def _decoded(self, epoch: int, asked: list[tuple[int, torch.Tensor]]) -> torch.utils.data.DataLoader:
        return torch.utils.data.DataLoader(
            _Decoder(self._images, self._recipe, epoch),
            batch_sampler=[[(seed, position) for position in index.tolist()] for seed, index in asked],
            num_workers=self._recipe.n_workers,
            collate_fn=_stack,
            pin_memory=self._device.type == "cuda",
            generator=torch.Generator(),
        )


class _Decoder(torch.utils.data.Dataset):
    """One epoch's images in files, by seed and position: cropped at random, or as they are evaluated."""

    def __init__(self, images: ImageFiles, recipe, epoch: int):
        self._images, self._recipe, self._epoch = images, recipe, epoch

    def __getitem__(self, asked: tuple[int, int]) -> torch.Tensor | UserError:
        crop, flip = self._recipe.crop, self._recipe.flip
        seed, position = asked
        try:
            if crop is None:
                view = self._images.evaluation_view(position)
            else:
                view = self._images.random_view(position, seed, self._epoch, crop, flip)
        except UserError as fault:  # returned: raised in a worker it would print a stack trace
            return fault
        return torch.tensor(np.ascontiguousarray(view))


class InMemory:
    """Views of images in memory: translations, or random resized crops."""

    def __init__(self, images: torch.Tensor, recipe):
        """Keep uint8 images (n, C, H, W). recipe: has shift_px, crop and flip."""
        _check_crop(recipe)
        self._recipe, self._shape = recipe, (len(images), *images.shape[2:])
        self._images = augmentation.pad(images, recipe.shift_px) if recipe.crop is None else images

    def draw(self, seed: int, epoch: int) -> augmentation.Views | crops.Boxes:
        """Draw one epoch's views of all images, on the CPU."""
        recipe = self._recipe
        if recipe.crop is None:
            return augmentation.draw_views(seed, epoch, self._shape[0], recipe.shift_px, recipe.flip)
        return crops.draw_boxes(seed, epoch, self._shape, recipe.crop, recipe.flip)

    def view(self, own: augmentation.Moves | crops.Cuts) -> torch.Tensor:
        """Return the views of a batch: uint8 (b, C, H, W), channels last in memory."""
        see = augmentation.view if self._recipe.crop is None else crops.crop
        return see(self._images, own)


def _check_crop(recipe) -> None:
    if recipe.shift_px and recipe.crop is not None:
        raise UserError("recipes: crop takes the place of shift_px; set shift_px to 0, or crop to null")


def _stack(views: list) -> torch.Tensor | UserError:
    fault = next((view for view in views if isinstance(view, UserError)), None)
    return fault or torch.stack(views).contiguous(memory_format=torch.channels_last)
