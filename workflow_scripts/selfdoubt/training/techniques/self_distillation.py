"""Self-distillation: the teacher is a moving average of the model's weights (mean teacher: Tarvainen & Valpola 2017).

They use it for images without labels, of which student and teacher see different views, and let the divergence's weight
rise over the first epochs. Here both see one view, as in distillation from another model, and the weight is constant:
an average that is young is close to the weights themselves, and adds little.
"""

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from selfdoubt.runtime import devices
from selfdoubt.training import losses
from selfdoubt.training.technique import Base


class Technique(Base):
    """The loss is (1 - alpha) of that of labels + alpha temperature^2 KL(average || model).

    The average is an exponential moving one of weights and buffers, in evaluation mode. At the i-th step, from 1, its
    decay is at most 1 - 1/i, as in the authors' code: it is the mean of all weights so far until `decay` is less.
    """

    def __init__(self, settings, model, stream):
        super().__init__(settings, model, stream)
        self._average = AveragedModel(model, use_buffers=True).eval()

    def extended(self, batch, step):
        decay = min(self._settings.decay, step / (step + 1))
        self._average.multi_avg_fn = get_ema_multi_avg_fn(decay)
        self._average.update_parameters(self._model)
        return batch

    def objective(self, inner):
        def from_average(logits, batch):
            n = len(batch.labels)
            divergence = losses.divergence(logits[:n], self._targets(batch.images[:n]), self._settings.temperature)
            return (1 - self._settings.alpha) * inner(logits, batch) + self._settings.alpha * divergence.mean()

        return from_average

    def tensors(self):
        return self._average.state_dict()

    @torch.no_grad()
    def _targets(self, images: torch.Tensor) -> torch.Tensor:
        with devices.autocast(images.device, self._stream.recipe.precision):
            return self._average(images)
