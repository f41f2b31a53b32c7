from __future__ import annotations

from pathlib import Path

import pytest

from spikebridge.ann.board import jetson_name


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (b"NVIDIA Jetson Orin Nano Developer Kit\0", "Jetson Orin Nano"),
        (b"NVIDIA Jetson Nano Developer Kit\0", "Jetson Nano"),
        (b"Jetson-AGX\0", "Jetson AGX"),
        (b"NVIDIA Jetson Orin NX Engineering Reference Developer Kit\0", "Jetson Orin NX"),
        (b"Raspberry Pi 5 Model B Rev 1.0\0", ""),
    ],
)
def test_a_jetson_is_told_by_its_device_tree(tmp_path: Path, model: bytes, name: str) -> None:
    tree = tmp_path / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "model").write_bytes(model)
    assert jetson_name(tmp_path) == name


def test_elsewhere_there_is_none(tmp_path: Path) -> None:
    assert jetson_name(tmp_path) == ""


def test_the_stage_says_jetson_only_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from spikebridge.ann import open_ann
    from spikebridge.bundle import load_model

    bundle = load_model("ann-160ms")
    assert open_ann("cpu", bundle).name == "ONNX Runtime CPU" + (f" on {jetson_name()}" if jetson_name() else "")
    monkeypatch.setattr("spikebridge.ann.local.jetson_name", lambda: "Jetson Orin Nano")
    assert open_ann("cpu", bundle).name == "ONNX Runtime CPU on Jetson Orin Nano"
