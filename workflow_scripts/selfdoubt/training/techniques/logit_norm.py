"""LogitNorm: the loss sees the direction of the logits, not their length (Wei et al., ICML 2022)."""

from selfdoubt.training.technique import Base

_TINY = 1e-7  # as in the authors' code


class Technique(Base):
    """The loss is that of z / (temperature ||z||) for the logits z, whose length is then free; predictions are of z.

    The paper's temperature is 0.04 for CIFAR-10 and 0.01 for CIFAR-100.
    """

    def objective(self, inner):
        def of_directions(logits, batch):
            length = logits.norm(dim=-1, keepdim=True) + _TINY
            return inner(logits / (self._settings.temperature * length), batch)

        return of_directions
