"""timm's networks: small images, other classes, weights from a file or from the hub."""

from types import SimpleNamespace

import pytest
import timm
import torch
from helpers import assert_close
from safetensors.torch import save_file
from timm.models import _builder

from selfdoubt.models import checkpoints
from selfdoubt.models.classifier import build_model
from selfdoubt.runtime.errors import UserError

torch.set_num_threads(1)


def network_of(name: str = "test_resnet", pretrained: bool = False, input_px: str = "data") -> SimpleNamespace:
    return SimpleNamespace(family="timm", name=name, pretrained=pretrained, patch_px=4, input_px=input_px)


def build(name: str = "test_resnet", *, size_px: int = 28, channels: int = 1, n_classes: int = 3, **options):
    network = network_of(name, options.pop("pretrained", False), options.pop("input_px", "data"))
    return build_model(network, n_classes=n_classes, channels=channels, size_px=size_px, **options)


def images(n: int = 2, channels: int = 1, size_px: int = 28) -> torch.Tensor:
    return torch.rand(n, channels, size_px, size_px, generator=torch.Generator().manual_seed(n))


def fault(*arguments, **options) -> str:
    with pytest.raises(UserError) as caught:
        build(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def sizes_of_maps(model, pixels: torch.Tensor) -> list[int]:
    found = []
    hooks = [layer.register_forward_hook(lambda _, __, out: found.append(out.shape[2])) for layer in model.cam_layers()]
    with torch.no_grad():
        model(pixels)
    for hook in hooks:
        hook.remove()
    return found


# ---- small images ----


def test_small_images_keep_their_resolution_in_the_stem():
    assert sizes_of_maps(build("resnet10t").eval(), images()) == [28, 28, 14, 7, 4]


def test_large_images_meet_the_stem_as_it_is():
    assert sizes_of_maps(build("resnet10t", size_px=72).eval(), images(1, 1, 72))[0] == 36


def test_a_transformer_cuts_small_images_into_small_patches():
    model = build("test_vit").eval()
    assert model.body.patch_embed.grid_size == (7, 7)  # patches of 4 px
    assert model(images()).shape == (2, 3)


def test_images_are_enlarged_to_the_size_that_a_network_was_made_for():
    model, seen = build("test_resnet", input_px="pretrained").eval(), []
    model.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    pixels = images().requires_grad_()
    model(pixels)[:, 0].sum().backward()
    assert seen == [(2, 1, 160, 160)]
    assert pixels.grad.shape == (2, 1, 28, 28) and pixels.grad.all()


def test_a_grey_image_stays_grey_when_it_is_enlarged_or_reduced():
    for size_px in (28, 300):
        model = build("test_resnet", input_px="pretrained", size_px=size_px).eval()
        alike = [model(torch.full((1, 1, px, px), 0.3)) for px in (size_px, 160)]
        assert_close(*alike)


# ---- names ----


def test_an_unknown_network_is_named_with_its_neighbours():
    with pytest.raises(UserError, match=r"timm has no model 'resnet10'; near it: .*\bresnet10t\b"):
        build("resnet10")
    assert fault("xyz_1").startswith("networks: timm has no model 'xyz_1'")


def test_unknown_weights_are_named_with_those_that_are_there():
    line = fault("test_resnet.r999")
    assert line.startswith("networks: ") and "'test_resnet.r999'" in line and "test_resnet.r160_in1k" in line


def test_a_network_that_cannot_take_such_images():
    assert "convnext_atto for images of 1 x 28 x 28 does not work (" in fault("convnext_atto")
    assert "cannot build timm's levit_128s for images of 1 x 28 x 28 (" in fault("levit_128s")


NOT_SMALL = [
    "visformer_tiny",
    "xcit_nano_12_p8_224",
    "volo_d1_224",
    "crossvit_tiny_240",
    "vitamin_small_224",
    "inception_v3",
]


@pytest.mark.parametrize("name", NOT_SMALL)
def test_networks_that_do_not_take_the_size_are_one_line(name):
    assert name in fault(name, size_px=32, channels=3)


@pytest.mark.parametrize(("old", "new"), [("swsl_resnet18", "fb_swsl_ig1b"), ("tf_efficientnet_b0_ns", "ns_jft_in1k")])
def test_names_that_timm_has_given_up_are_one_line_with_the_new_one(old, new):
    assert new in fault(old)


class Strange(Exception):
    pass


@pytest.mark.parametrize("raised", [Strange("a\nb"), ZeroDivisionError(), StopIteration(), RecursionError("deep")])
def test_whatever_timm_raises_is_one_line(monkeypatch, raised):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: failing(raised))
    assert "cannot build timm's test_resnet" in fault()


@pytest.mark.parametrize("name", ["xcit_nano_12_p8_224", "xcit_nano_12_p16_224.fb_dist_in1k"])
def test_a_text_that_timm_raises_is_the_reason(name):
    found = fault(name, size_px=32, channels=3)
    assert f"cannot build timm's {name}" in found and "patch size has to be in [8, 16]" in found
    assert "input_px: pretrained" in found and "BaseException" not in found


@pytest.mark.parametrize("raised", [MemoryError(), OSError(28, "No space left on device"), PermissionError("no")])
def test_lack_of_memory_and_the_systems_faults_pass_as_they_are(monkeypatch, raised):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: failing(raised))
    with pytest.raises(type(raised)):
        build()


def failing(error: BaseException):
    raise error


# ---- layers of class activation maps ----


@pytest.mark.parametrize(("name", "size_px"), [("test_vit", 28), ("swin_tiny_patch4_window7_224", 28)])
def test_tokens_and_maps_with_channels_last_are_refused(name, size_px):
    with pytest.raises(UserError, match="has no maps to make masks of; choose a convolutional teacher"):
        build(name, size_px=size_px).cam_layers()


@pytest.mark.parametrize("name", ["test_efficientnet", "test_convnext", "mobilenetv3_small_050"])
def test_stages_of_convolutions_are_maps(name):
    sides = sizes_of_maps(build(name, size_px=64).eval(), images(1, 1, 64))
    assert len(sides) >= 4 and sides == sorted(sides, reverse=True)


# ---- weights ----


@pytest.fixture(scope="module")
def trained() -> torch.nn.Module:
    """test_resnet of 5 classes, as others might have trained it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        body = timm.create_model("test_resnet", num_classes=5)
        for _ in range(3):
            body.train()(torch.randn(4, 3, 32, 32))  # moves the running statistics
    return body.eval()


@pytest.fixture(scope="module")
def files(trained, tmp_path_factory) -> dict:
    """The weights as .pth and as .safetensors."""
    folder = tmp_path_factory.mktemp("weights")
    paths = {"pth": folder / "a.pth", "safetensors": folder / "a.safetensors"}
    torch.save({"state_dict": {f"module.{k}": v for k, v in trained.state_dict().items()}}, paths["pth"])
    save_file(trained.state_dict(), paths["safetensors"])
    return paths


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_weights_of_a_file_answer_as_the_network_that_they_came_from(trained, files, kind):
    options = {"channels": 3, "size_px": 160, "n_classes": 5, "input_px": "pretrained", "weights": files[kind]}
    model = build(**options, keep_head=True).eval()
    pixels = images(2, 3, 160)
    model.fit_input(pixels)  # changes nothing: the weights have a normalisation of their own
    with torch.no_grad():
        assert_close(model(pixels), trained((pixels - 0.5) / 0.5))  # timm's config of test_resnet


def test_the_first_convolution_sums_over_rgb(trained, files):
    # So that a grey image is answered as its three equal channels would be.
    model = build(size_px=160, n_classes=5, input_px="pretrained", weights=files["pth"]).eval()
    grey = images(2, 1, 160)
    with torch.no_grad():
        expected = trained((grey.expand(-1, 3, -1, -1) - 0.5) / 0.5)
        assert_close(model(grey), expected, atol=1e-4, rtol=1e-4)


def test_normalisation_is_that_of_the_weights_averaged_for_one_channel(tmp_path):
    torch.save(timm.create_model("test_efficientnet", num_classes=3).state_dict(), tmp_path / "a.pth")
    colour = build("test_efficientnet", channels=3, weights=tmp_path / "a.pth")
    assert colour.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    grey = build("test_efficientnet", weights=tmp_path / "a.pth")
    assert grey.mean.item() == pytest.approx((0.485 + 0.456 + 0.406) / 3)
    assert grey.std.item() == pytest.approx((0.229 + 0.224 + 0.225) / 3)


def test_a_head_of_other_classes_is_replaced_and_logged(trained, files, capsys):
    model = build(channels=3, weights=files["pth"], seed=4)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"{files['pth']}: 5 classes, 3 here; ") and last.endswith("fc.bias, fc.weight")
    ours, theirs = model.body.state_dict(), trained.state_dict()
    assert {name for name in ours if not torch.equal(ours[name], theirs[name])} == {"fc.weight", "fc.bias"}
    fresh = build(channels=3, seed=4).body.state_dict()
    assert torch.equal(ours["fc.weight"], fresh["fc.weight"])  # drawn as that of an untrained network


def test_weights_without_a_head(trained, tmp_path, capsys):
    state = {name: tensor for name, tensor in trained.state_dict().items() if not name.startswith("fc.")}
    torch.save(state, tmp_path / "a.pth")
    assert torch.equal(build(channels=3, weights=tmp_path / "a.pth").body.bn1.running_mean, trained.bn1.running_mean)
    assert "0 classes, 3 here; not taken: fc.bias, fc.weight" in capsys.readouterr().out


def test_patches_and_positions_of_a_transformer_are_resampled(tmp_path):
    torch.save(timm.create_model("test_vit", num_classes=3).state_dict(), tmp_path / "a.pth")
    model = build("test_vit", weights=tmp_path / "a.pth").eval()
    assert model.body.patch_embed.proj.weight.shape[1:] == (1, 4, 4) and model(images()).shape == (2, 3)


def test_the_same_weights_come_back_from_a_checkpoint(files, tmp_path):
    network = vars(network_of(input_px="pretrained"))
    shape = {"channels": 1, "size_px": 28, "n_classes": 5}
    model = build(**{**shape, "input_px": "pretrained"}, weights=files["pth"]).eval()
    checkpoints.save(tmp_path / "a", model, {"settings": {"network": network}, "shape": shape})
    again = checkpoints.load_model(tmp_path / "a", torch.device("cpu"))
    assert_close(again(images()), model(images()))  # the layout in memory differs
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in model.state_dict().items())


def test_names_that_are_not_timms_are_shown(trained, tmp_path):
    state = {f"mine.{name}": tensor for name, tensor in trained.state_dict().items()}
    torch.save(state, tmp_path / "a.pth")
    line = fault(channels=3, n_classes=5, weights=tmp_path / "a.pth", keep_head=True)
    assert "mine.conv1" in line and "weights_key" in line
    network = network_of()
    network.weights_key = "mine"
    build_model(network, n_classes=5, channels=3, size_px=28, weights=tmp_path / "a.pth", keep_head=True)


def test_a_head_that_must_stay_has_the_classes_of_the_data(files):
    expected = "has a head of 5 classes, and the data have 3"
    assert expected in fault(channels=3, weights=files["pth"], keep_head=True)
    assert "test_resnet: has a head of 1000 classes, and the data have 3" in fault(pretrained=True, keep_head=True)


def test_weights_of_another_network_are_refused_whole(files, tmp_path):
    found = fault("test_vit", weights=files["pth"])
    assert found.startswith(f"{files['pth']}: does not fit timm's test_vit for images of 1 x 28 x 28 (")
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    for broken in (
        {**state, "extra": torch.zeros(1)},
        {name: tensor for name, tensor in state.items() if name != "bn1.bias"},
        {**state, "bn1.bias": torch.zeros(5)},
    ):
        torch.save(broken, tmp_path / "a.pth")
        for n_classes in (3, 4):  # with the head and without
            assert "does not fit" in fault(n_classes=n_classes, weights=tmp_path / "a.pth")


def test_another_normalisation_may_be_set(files):
    network = network_of(input_px="pretrained")
    network.mean, network.deviation = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
    for channels, means in ((3, [0.1, 0.2, 0.3]), (1, [0.2])):
        model = build_model(network, n_classes=5, channels=channels, size_px=160, weights=files["pth"])
        assert model.mean.flatten().tolist() == pytest.approx(means)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_b0"])
def test_efficientnets_by_the_names_of_efficientnet_pytorch(tmp_path, name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        body = timm.create_model(name, num_classes=3).eval()
    torch.save({f"module.{key}": tensor for key, tensor in _as_published(body)}, tmp_path / "a.pth")
    model = build(name, size_px=224, channels=3, weights=tmp_path / "a.pth", keep_head=True)
    ours = model.body.state_dict()
    assert all(torch.equal(tensor, ours[key]) for key, tensor in body.state_dict().items())
    replaced = build(name, size_px=224, channels=3, n_classes=5, weights=tmp_path / "a.pth")
    assert torch.equal(replaced.body.conv_stem.weight, body.conv_stem.weight)


def _as_published(body):
    """Yield the parameters of an EfficientNet in the names of efficientnet-pytorch, which numbers blocks throughout."""
    modules = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    blocks = [f"blocks.{i}.{j}" for i, stage in enumerate(body.blocks) for j in range(len(stage))]
    for number, block in enumerate(blocks):
        expands = hasattr(body.get_submodule(block), "conv_pwl")
        inside = ["_expand_conv", "_bn0"] * expands + ["_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
        own = (
            ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"] if expands else ["conv_dw", "bn1", "conv_pw", "bn2"]
        )
        inside, own = [*inside, "_se_reduce", "_se_expand"], [*own, "se.conv_reduce", "se.conv_expand"]
        modules |= {f"{block}.{ours}": f"_blocks.{number}.{theirs}" for ours, theirs in zip(own, inside, strict=True)}
    for key, tensor in body.state_dict().items():
        module, _, leaf = key.rpartition(".")
        yield f"{modules[module]}.{leaf}", tensor


# ---- published weights ----


def test_published_weights_are_asked_of_the_hub(monkeypatch, capsys):
    with torch.random.fork_rng():
        state = timm.create_model("test_resnet", num_classes=1000).state_dict()
    asked = []
    monkeypatch.setattr(_builder, "load_state_dict_from_hf", lambda name, **_: asked.append(name) or dict(state))
    model = build(pretrained=True, channels=3)
    assert asked == ["timm/test_resnet.r160_in1k"] and model.mean.flatten().tolist() == [0.5] * 3
    assert torch.equal(model.body.layer1[0].conv1.weight, state["layer1.0.conv1.weight"])
    assert "test_resnet: 1000 classes, 3 here" in capsys.readouterr().out


def test_without_internet_the_address_is_named(monkeypatch):
    def offline(*_, **__):
        raise ConnectionError("Name or service\nnot known")

    monkeypatch.setattr(_builder, "load_state_dict_from_hf", offline)
    line = fault(pretrained=True)
    assert line.startswith("networks: cannot download test_resnet (Name or service not known); fetch ")
    assert "https://huggingface.co/timm/test_resnet.r160_in1k/resolve/main/model.safetensors" in line


def test_a_network_without_published_weights():
    line = fault("mixer_s16_224", pretrained=True, input_px="pretrained")
    assert line.startswith("networks: ") and "mixer_s16_224" in line and "'weights:'" in line


def test_too_little_memory_is_no_fault_of_the_network(monkeypatch):
    def exhausted(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes")

    monkeypatch.setattr(timm, "create_model", exhausted)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        build()
