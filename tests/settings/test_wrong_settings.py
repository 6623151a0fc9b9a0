"""A wrong value of the config is reported in one line, with its key and a remedy."""

import pytest
from wrong_configs import ACE, LOGISTIC, ONE_WAY, SIZES, STYLE, check_message, fault, put

TTA = {"method": "tta", "models": ["ce"], "n_views": 4, "shift_px": [0, 1], "flip": True}
DEEP = {"method": "deep", "models": ["ce"], "epsilon_255": [8], "confidence_weight": [1], "width": 8, "epochs": 2}
DEEP |= {"batch_size": 64, "learning_rate": 0.003, "n_folds": 2}
DIALOGUE = {"method": "dialogue", "message": "gradient", "epsilon_255": 8, "n_rounds": 2}


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("replicats", [1], "config: replicats: unknown key; did you mean 'replicates'?"),
        ("students.kd.loss.temprature", 4, "students.kd.loss.temprature: unknown key; did you mean 'temperature'?"),
        ("enhancers.odin.epsilon", [4], "config: enhancers.odin.epsilon: unknown key; did you mean 'epsilon_255'?"),
        (
            "figures.reliability.style.width",
            9,
            "figures.reliability.style.width: unknown key; did you mean 'width_mm'?",
        ),
        ("recipes.short.epochs", "7a", "config: recipes.short.epochs: input should be a valid integer, found '7a'"),
        ("recipes.short.epochs", 6.5, "config: recipes.short.epochs: input should be a valid integer"),
        ("recipes.short.flip", 1, "config: recipes.short.flip: input should be a valid boolean, found 1"),
        ("recipes.short.optimizer.momentum", 1, "short.optimizer.momentum: input should be less than 1, found 1"),
        ("students.kd.loss.alpha", 90, "students.kd.loss.alpha: input should be less than or equal to 1, found 90"),
        ("enhancers.odin.epsilon_255", [0.001], "epsilon_255.0: input should be greater than or equal to 0.01"),
        (
            "enhancers.random-sign.precision",
            "bfloat16",
            "config: enhancers.random-sign.precision: 'random-sign' has no such key",
        ),
        (
            "enhancers.anti-adversary.temperature",
            [1, 10],
            "config: enhancers.anti-adversary.temperature: 'anti-adversary' has no such key; remove it. Keys: ",
        ),
        (
            "enhancers.random-sign.temperature",
            [0],
            "random-sign.temperature.0: input should be greater than 0, found 0",
        ),
        ("enhancers.odin.method", "odn", "config: enhancers.odin.method: 'odn' is not a method; did you mean 'odin'?"),
        (
            "enhancers.views",
            TTA | {"n_views": 1},
            "enhancers.views.n_views: input should be greater than or equal to 2",
        ),
        ("enhancers.views", TTA | {"flip": False}, "a shift_px of 0 without flip makes all views"),
        (
            "enhancers.bound",
            ACE | {"epsilon_255": [1, 2]},
            "enhancers.bound.epsilon_255: input should be a valid number",
        ),
        ("enhancers.bound", ACE | {"n_halvings": -1}, "enhancers.bound.n_halvings: input should be greater than or"),
        ("enhancers.net", DEEP | {"n_folds": 1}, "enhancers.net.n_folds: input should be greater than or equal to 2"),
        ("enhancers.net", DEEP | {"confidence_weight": [-1]}, "confidence_weight.0: input should be greater than or"),
        ("enhancers.net", DEEP | {"precision": "auto"}, "config: enhancers.net.precision: 'deep' has no such key"),
        (
            "enhancers.short",
            LOGISTIC | {"l2_penalty": [0]},
            "enhancers.short.l2_penalty.0: input should be greater than",
        ),
        ("enhancers.short", LOGISTIC | {"n_steps": 3}, "enhancers.short.n_steps: 'clean-logistic' has no such key"),
        (
            "protocols.persuasion-placebo.precision",
            "auto",
            "`precision` is of gradients, and random-sign takes none",
        ),
        ("protocols.persuasion-placebo.n_steps", 1, "`n_steps` is of gradients, and random-sign takes none"),
        ("protocols.persuasion.n_steps", None, "`n_steps` is missing: the number of gradient steps of a message"),
        (
            "recipes.short.device",
            "gpu",
            "'gpu' is not a choice here; did you mean 'cuda'? ",
        ),
        (
            "networks.convnet-small.family",
            "resnet",
            "config: networks.convnet-small.family: 'resnet' is not a family; did you mean 'wide-resnet'? "
            "Choices: convnet, resnet-cifar, timm, wide-resnet",
        ),
        (
            "protocols.persuasion-placebo.gains_relative_to",
            "random-sign",
            "`gains_relative_to` compares with random signs, which these are; remove it",
        ),
        ("protocols.mean-logit.n_folds", 5, "protocols.mean-logit.n_folds: 'mean-logit' has no such key; remove it"),
        ("protocols.mean-logit.method", "vote", "protocols.mean-logit.method: 'vote' is not a method"),
        ("protocols.s", {"method": "stacking", "penalty": [0], "n_folds": 5}, "s.penalty.0: input should be greater"),
        ("protocols.s", {"method": "stacking", "penalty": [], "n_folds": 5}, "protocols.s.penalty: has 0 entries"),
        ("protocols.s", {"method": "stacking", "penalty": [1], "n_folds": 1}, "protocols.s.n_folds: input should be"),
        (
            "protocols.persuasion",
            ONE_WAY | {"listener": "teacher"},
            "config: protocols.persuasion: 'teacher' is not a member of 'trio'",
        ),
        (
            "protocols.persuasion",
            ONE_WAY | {"listener": "ce", "gains_relative_to": "sender"},
            "gains_relative_to: sender, who is the listener",
        ),
        ("protocols.persuasion", DIALOGUE | {"n_rounds": 0}, "protocols.persuasion.n_rounds: input should be greater"),
        (
            "protocols.persuasion",
            DIALOGUE,
            "figures.persuasion-matrix.protocol: 'persuasion' is not a protocol of the group that argues",
        ),
        (
            "networks.r",
            {"family": "resnet-cifar", "depth": 18},
            "networks.r.depth: a depth of this family is 6n + 2, such",
        ),
        ("networks.r", {"family": "resnet-cifar", "depth": 2}, "6n + 2, such as 8, found 2"),
        ("networks.r", {"family": "wide-resnet", "depth": 28}, "config: networks.r.widen_factor: this key is missing"),
        (
            "networks.r",
            {"family": "wide-resnet", "depth": 27, "widen_factor": 2},
            "config: networks.r.depth: a depth of this family is 6n + 4, such as 28, found 27",
        ),
        (
            "networks.r",
            {"family": "timm", "name": "resnet18", "weights": "w.bin"},
            "config: networks.r.weights: weights are read from a .safetensors or a .pth file, found 'w.bin'",
        ),
        (
            "networks.r",
            {"family": "timm", "name": "resnet18", "weights": "w.pth", "pretrained": True},
            "config: networks.r.pretrained: true, and weights name a file; remove one of the two",
        ),
        ("pretrained.r", {"name": "resnet18", "network": "x"}, "config: pretrained.r.network: unknown key; "),
        ("pretrained.ce", {"name": "resnet18"}, "config: pretrained.ce: the name is taken by baselines.ce"),
        ("students.kd.network", "convnet-xl", "students.kd.network: 'convnet-xl' is not a network; did you mean"),
        (
            "students.kd.teacher",
            "techer",
            "config: students.kd.teacher: 'techer' is not a model; did you mean 'teacher'?",
        ),
        ("students.kd.teacher", "kd", "config: students.kd.teacher: circular (kd -> kd)"),
        ("segmenters.unet.teacher", "mask-cutmix", "segmenters.unet.teacher: circular: 'mask-cutmix' learns from"),
        (
            "segmenters.unet.teacher_replicate",
            9,
            "segmenters.unet.teacher_replicate: 9 is not one of replicates [1, 2, 3]",
        ),
        ("replicates", [1, 2, 1], "config: replicates: 1 is given twice; remove one"),
        ("replicates", [], "config: replicates: has 0 entries and needs 1 or more"),
        ("groups.trio.members", ["ce"], "config: groups.trio.members: has 1 entries and needs 2 or more"),
        ("groups.trio.members", ["ce", "ce"], "config: groups.trio.members: ce is given twice"),
        ("groups.trio.protocols", ["vote"], "config: groups.trio.protocols: 'vote' is not a protocol"),
        ("enhancers.odin.models", ["c"], "config: enhancers.odin.models: 'c' is not a model"),
        (
            "evaluation.scores",
            ["mps"],
            "scores.0: 'mps' is not a choice here; did you mean 'msp'?",
        ),
        (
            "evaluation.metrics",
            ["aurk"],
            "'aurk' is not a choice here; did you mean 'aurc'?",
        ),
        (
            "evaluation.scores",
            ["msp", "mc-dropout"],
            "config: evaluation.mc_dropout_passes: 0; the score mc-dropout needs",
        ),
        (
            "evaluation.resampled_splits",
            ["tst"],
            "evaluation.resampled_splits: 'tst' is not a split; did you mean 'test'?",
        ),
        ("evaluation.ece_bins", None, "config: evaluation.ece_bins: this key is missing; add it"),
        (
            "hypotheses.kd-ranks-better.metric",
            "arc",
            "'arc' is not a metric with an interval; did you mean 'aurc'?",
        ),
        (
            "hypotheses.kd-ranks-better.split",
            "tst",
            "kd-ranks-better.split: 'tst' is not a split; did you mean 'test'?",
        ),
        ("hypotheses.kd-ranks-better.better", "ce/odn", "hypotheses.kd-ranks-better.better: 'ce/odn' is not an arm"),
        ("studies.communication.reference", "trio", "config: studies.communication.reference: 'trio' is not an arm"),
        ("figures.auroc-accuracy.arms", ["ce", "cee"], "figures.auroc-accuracy.arms: 'cee' is not a model or a group"),
        ("figures.mask-gallery.segmenter", "u", "config: figures.mask-gallery.segmenter: 'u' is not a segmenter"),
        (
            "figures.persuasion-matrix.protocol",
            "mean-probability",
            "is not a protocol of the group that argues",
        ),
        ("augmented.mask-cutmix.segmenter", None, "augmented.mask-cutmix.segmenter: mixing by masks needs one"),
        ("augmented.cutmix.segmenter", "unet", "config: augmented.cutmix.segmenter: 'cutmix' uses no masks; remove it"),
        (
            "figures.mask-gallery",
            {"kind": "mixed-labels", "study": "mask-cutmix", "models": ["ce"], "style": STYLE},
            "config: figures.mask-gallery.models: 'ce' is not one of augmented",
        ),
        ("figures.mask-gallery", SIZES | {"arms": ["ce"]}, "figures.mask-gallery.arms: has 1 entries and needs 2"),
        (
            "figures.mask-gallery",
            SIZES | {"split": "ood-digits"},
            "split: 'ood-digits' is not a choice here. Choices: val, test",
        ),
        ("augmented.cutmix.masks", "given", "config: augmented.cutmix.masks: 'cutmix' uses no masks; remove it"),
        ("augmented.mask-cutmix.masks", "given", "mask-cutmix.masks: given, and a segmenter is named; remove one"),
        ("augmented.mask-cutmix.masks", "truth", "mask-cutmix.masks: 'truth' is not a choice here. Choices: given"),
        ("augmented.cutmix.mixing.alpha", 1.0, "config: augmented.cutmix.mixing.alpha: unknown key; remove it"),
        ("augmented.cutmix.mixing.method", "resize-mix", "mixing.method: 'resize-mix' is not a method; did you mean"),
        ("augmented.cutmix.mixing.labels", "object-area", "config: augmented.cutmix.mixing.labels: unknown key"),
        (
            "augmented.cutmix.mixing",
            {"method": "resizemix", "probability": 0.5, "min_scale": 0.8, "max_scale": 0.1},
            "config: augmented.cutmix.mixing.max_scale: 0.1 is below min_scale 0.8; swap them",
        ),
        (
            "augmented.cutmix.mixing",
            {"method": "resizemix", "probability": 0.5, "min_scale": 0.0, "max_scale": 0.1},
            "config: augmented.cutmix.mixing.min_scale: input should be greater than 0",
        ),
        (
            "augmented.cutmix.mixing",
            {"method": "mixup", "probability": 0.5, "alpha": 0.0},
            "config: augmented.cutmix.mixing.alpha: input should be greater than 0",
        ),
        (
            "augmented.mask-cutmix.mixing",
            {"method": "oa-cutmix", "probability": 0.5, "beta": 1.0, "labels": "pixel-area"},
            "mixing.labels: 'pixel-area' is not a choice here. Choices: object-area, relative-object-area",
        ),
        (
            "augmented.mask-cutmix.mixing.mask_control",
            "random",
            "mask_control: 'random' is not a choice here. Choices: none, permuted, boxes",
        ),
        ("datasets.fashion-mnist-12k.ood", ["digit"], "ood: 'digit' is not one of ood_sets; did you mean 'digits'?"),
        ("datasets.fashion-mnist-12k.source", "folder", "fashion-mnist-12k.source: 'folder' is not of the form"),
        (
            "datasets.fashion-mnist-12k.source",
            "cifar11",
            "12k.source: 'cifar11'; did you mean 'cifar10'",
        ),
        ("datasets.fashion-mnist-12k.corruptions.source", "builtin", "corruptions.source: 'builtin'; 'built-in'"),
        ("datasets.fashion-mnist-12k.corruptions.names", ["fog"], "corruptions.names: 'fog' is not"),
        ("datasets.fashion-mnist-12k.shifted", {"a": "cifar-c:x"}, "shifted.a: 'cifar-c' is not"),
        ("datasets", None, "config: datasets: this key is missing; add it"),
        ("datasets", {"fashion-mnist-12k": None}, "config: datasets: has 0 entries and needs 1 or more; add one"),
        ("datasets", ["cifar10"], "config: datasets: needs keys with values (key: value), found ['cifar10']"),
        ("baselines", ["ce"], "config: baselines: needs keys with values (key: value), found ['ce']"),
        ("baselines.ce", "convnet-small", "config: baselines.ce: needs keys with values (key: value), found 'convnet"),
        ("figures.reliability", 3, "config: figures.reliability: needs keys with values (key: value), found 3"),
        ("groups.trio.members", "ce", "config: groups.trio.members: needs a list ([ce]), found 'ce'"),
        ("figures.reliability.kind", "pie", "config: figures.reliability.kind: 'pie' is not a kind. Choices: risk-"),
        ("figures.reliability.kind", None, "config: figures.reliability.kind: this key is missing; add it"),
        (
            "recipes.short.optimizer.method",
            "adam",
            "config: recipes.short.optimizer.method: 'adam' is not a method; did you mean 'adamw'? "
            "Choices: sgd, adamw, muon",
        ),
        (
            "recipes.short.precision",
            "fp16",
            "precision: 'fp16' is not a choice here. Choices: auto, bfloat16, float32",
        ),
        ("datasets.fashion-mnist-12k.channels", 2, "'2' is not a choice here. Choices: 1, 3"),
        (
            "hypotheses.kd-ranks-better.metric",
            "aurcc",
            "'aurcc' is not a metric with an interval; did you mean 'aurc'?",
        ),
        ("hypotheses.kd-ranks-better.score", "mps", "'mps' is not a choice here; did you mean 'msp'?"),
        (
            "networks.r",
            {"family": "timm", "name": "ResNet50"},
            "name: 'ResNet50' cannot stand here; did you mean 'resnet5",
        ),
        ("segmenters.unet.architecture", "UNet", "'UNet' is not a choice here; did you mean 'Unet'? "),
        ("segmenters.unet.architecture", "fpn", "'fpn' is not a choice here; did you mean 'FPN'? "),
        (
            "hypotheses.kd-ranks-better.than",
            "kd",
            "kd-ranks-better.than: 'kd' is what is to be better too; name another",
        ),
        ("studies.distillation.arms", ["kd", "kd"], "config: studies.distillation.arms: kd is given twice; remove one"),
        (
            "studies.distillation.arms",
            ["ce", "kd"],
            "distillation.arms: 'ce' is the study's reference too; name another",
        ),
        ("hypotheses.kd-ranks-better.statement", " ", "kd-ranks-better.statement: is empty; write it down"),
        ("studies.distillation.question", "", "config: studies.distillation.question: is empty; write it down"),
        (
            "recipes.short.crop",
            {"min_area": 0.1, "max_aspect": 1.3},
            "config: recipes.short.shift_px: 1; crop takes its place: set it to 0, or crop to null",
        ),
    ],
)
def test_a_fault_names_its_key_and_a_remedy(config, place, value, expected):
    check_message(fault(put(config, place, value)), expected)
