"""A GPU that was leased is used, or the job says why not; every log begins with where it was computed."""

import pytest
import torch
from small_training import train

from selfdoubt import devices
from selfdoubt.errors import UserError


def no_cuda(monkeypatch, leased: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("SELFDOUBT_LEASED", leased)


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize(("version", "torchs"), [("12.8", "torch for CUDA 12.8"), (None, "a torch without CUDA")])
def test_a_leased_gpu_that_cannot_be_used_is_told(monkeypatch, device, version, torchs):
    no_cuda(monkeypatch, "GPU-a")
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(UserError) as caught:
        devices.prepare(device, 1)
    assert str(caught.value) == (
        f"device: {device}: GPU GPU-a was leased, and {torchs} cannot use it; update the driver; or compute on the "
        "processor: device: cpu, or CUDA_VISIBLE_DEVICES= before the command"
    )
    assert devices.prepare("cpu", 1) == torch.device("cpu")


def test_without_a_lease_auto_is_the_processor_where_there_is_no_gpu(monkeypatch):
    no_cuda(monkeypatch, "")
    assert devices.prepare("auto", 1) == torch.device("cpu")
    with pytest.raises(UserError, match="'cuda' is asked for and this machine has none"):
        devices.prepare("cuda", 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [devices.prepare(device, 1).type for device in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


def test_a_gpu_is_told_by_its_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"A100 of {device}")
    told = devices.told(torch.device("cuda", 1), "bfloat16", 8)
    assert told == "device=cuda:1 (A100 of cuda:1) precision=bfloat16 threads=8"
    assert devices.told(torch.device("cpu"), "float32", 2) == "device=cpu precision=float32 threads=2"


def test_a_log_of_training_begins_with_where_it_was_computed(tmp_path, capsys):
    train(tmp_path)
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first == "device=cpu precision=float32 threads=1" and second.startswith("epoch=0 ")
