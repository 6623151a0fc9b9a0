"""Settings of stochastic weight averaging (Izmailov et al., UAI 2018)."""

from typing import Literal

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import BelowOne, Count, Positive


class Settings(Technique):
    method: Literal["swa"]
    start_fraction: BelowOne  # of the epochs, after which it begins
    factor: Positive  # of the recipe's peak learning rate, from then on
    lowest_factor: Positive | None = None  # to which it falls within each cycle; null: it is constant
    cycle_epochs: Count = 1  # after each cycle, the weights enter the mean

    def unfit(self, model, recipe) -> str | None:
        if recipe.ema_decay is not None:
            return f"recipes.{model.recipe}: ema_decay averages the weights too; give it a recipe without"
        n_epochs = recipe.epochs - round(self.start_fraction * recipe.epochs)
        if n_epochs == 0 or n_epochs % self.cycle_epochs:
            there = f"recipes.{model.recipe}: {n_epochs} of {recipe.epochs} epochs are after start_fraction"
            return f"{there}, not whole cycles of {self.cycle_epochs}; change start_fraction or cycle_epochs"
        return None
