"""Types of a student's `loss` and `answers`: what it learns from its teacher, and what it is told instead."""

from typing import Literal

from selfdoubt.settings.types import Fraction, NotNegative, Positive, Strict, one_of


class Kd(Strict):
    method: Literal["kd"]
    temperature: Positive
    alpha: Fraction  # of the divergence; the labels have the rest


class Dkd(Strict):
    method: Literal["dkd"]
    temperature: Positive
    alpha: NotNegative  # of the label against the rest, TCKD
    beta: NotNegative  # of the other classes among themselves, NCKD


class Hard(Strict):
    method: Literal["hard"]
    alpha: Fraction  # of the teacher's likeliest class


class Cwtm(Strict):
    method: Literal["cwtm"]


class Ranked(Strict):
    method: Literal["ranked"]
    temperature: Positive
    alpha: Fraction
    weight: NotNegative  # of the pairwise loss
    margin: NotNegative  # of the student's confidences, in differences of the teacher's probability of the label


class AdaptiveTemperature(Strict):
    method: Literal["adaptive-temperature"]
    temperature_unsure: Positive  # where the teacher's two largest probabilities are equal
    temperature_sure: Positive  # where the largest is 1
    alpha: Fraction


class Permuted(Strict):
    method: Literal["permuted"]
    permutation: Literal["fixed", "per-sample"]


class Corrected(Strict):
    method: Literal["corrected"]


class Scaled(Strict):
    method: Literal["scaled"]
    factor: Positive  # of the logits


class TemperatureScaled(Strict):
    method: Literal["temperature-scaled"]  # by the temperature of lowest NLL on val


class EntropyShuffled(Strict):
    method: Literal["entropy-shuffled"]
    temperature: Positive  # at which entropies are exchanged: that of the loss, where it has one


DistillationLoss = one_of(Kd, Dkd, Hard, Cwtm, Ranked, AdaptiveTemperature, by="method")
TeacherAnswers = one_of(Permuted, Corrected, Scaled, TemperatureScaled, EntropyShuffled, by="method")
