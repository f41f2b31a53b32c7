"""Where a training starts if not from nothing: at a checkpoint, or at a bundle, which holds weights alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spikebridge.bundle import Bundle, load_model
from spikebridge.errors import InputError
from spikebridge.snn import Neuron, load_network
from spikebridge.snn.network import Layer
from spikebridge.training.checkpoint import load_checkpoint
from spikebridge.training.network import CHANNELS, HybridNetwork, NetworkSpec, OrdinaryPart
from spikebridge.training.onnx_graph import read_onnx
from spikebridge.training.spiking_kernels import DECAY_ONE
from spikebridge.training.spiking_neuron import WEIGHT_SCALE, NeuronSpec


def open_network(model: str | Path) -> HybridNetwork:
    """The network of a checkpoint (``.npz``), of a training's folder, or of a bundle, by its name or folder."""
    path = Path(model)
    if path.suffix == ".npz" or (path / "best.npz").is_file():
        network, _ = load_checkpoint(path if path.suffix == ".npz" else path / "best.npz")
        return network
    return from_bundle(load_model(model))


def from_bundle(bundle: Bundle) -> HybridNetwork:
    """The trainable network that gives what the bundle gives; raises InputError for a bundle of another family.

    The bundle has its normalisation in the weights: that of the network scales by one until ``renormalise``.
    """
    layers = read_onnx(bundle.ann.path)
    spiking = load_network(bundle.snn.path).layers if bundle.snn else ()
    accumulator = bundle.accumulator
    network = HybridNetwork(
        NetworkSpec(
            len(spiking),
            accumulator.window_steps,
            accumulator.interval_steps,
            bundle.input.step_us,
            width=max(1, layers[0][0].shape[0] // CHANNELS[min(len(spiking) + 1, len(CHANNELS) - 1)]),
            hidden=layers[-1][0].shape[1],
            neuron=_neuron(spiking),
        )
    )
    if not isinstance(network.ordinary, OrdinaryPart):
        raise InputError(f"expected a bundle with ordinary layers, found none in {bundle.name}; take its checkpoint.")
    try:
        with torch.no_grad():
            if network.spiking is not None:
                for target, layer in zip(network.spiking.weights, spiking, strict=True):
                    target.copy_(torch.from_numpy(layer.weight / np.float32(WEIGHT_SCALE)))
            _fill(network.ordinary, [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in layers])
    except (RuntimeError, AttributeError, ValueError, IndexError) as error:
        raise InputError(
            f"expected a bundle of the network family, found other layers in {bundle.name} ({error}); take its "
            "checkpoint."
        ) from error
    return network


def take_over(network: HybridNetwork, front: HybridNetwork) -> None:
    """Gives ``network`` the spiking convolutions of ``front`` as its first ones; all hybrids have the same.

    Raises InputError where ``front`` has none, more than ``network``, other neurons or steps of another length.
    """
    mine, given = network.spec, front.spec
    if network.spiking is None or front.spiking is None or given.spiking > mine.spiking:
        raise InputError(
            f"expected spiking layers that {mine.name} begins with, found {given.name}; choose one with 1 to "
            f"{mine.spiking}."
        )
    if (given.neuron, given.step_us) != (mine.neuron, mine.step_us):
        raise InputError(
            f"expected spiking layers with steps of {mine.step_us} µs and the same neurons, found others in "
            f"{given.name}; choose another."
        )
    with torch.no_grad():
        for target, source in zip(
            network.spiking.weights[: given.spiking], front.spiking.weights[: given.spiking], strict=True
        ):
            target.copy_(source)


def renormalise(network: HybridNetwork, features: list[Tensor]) -> None:
    """Sets the statistics of all normalisations to those of ``features``, and their weights so that nothing changes.

    features : (B, C·T/I, h, w) counts. In training, normalisation takes the statistics of the batch: without this a
    network whose normalisation is in its weights would be another one there.
    """
    norms = [module for module in network.ordinary.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    seen: list[list[Tensor]] = [[] for _ in norms]

    def keep(number: int, values: Tensor) -> None:
        seen[number].append(values.transpose(0, 1).flatten(1))

    hooks = [
        norm.register_forward_pre_hook(lambda _, inputs, number=number: keep(number, inputs[0]))
        for number, norm in enumerate(norms)
    ]
    network.eval()
    with torch.no_grad():
        for batch in features:
            network.ordinary(batch)
        for hook in hooks:
            hook.remove()
        for norm, parts in zip(norms, seen, strict=True):
            values = torch.cat(parts, 1).double()
            mean, variance = values.mean(1), values.var(1, unbiased=False)
            gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
            offset = norm.bias.double() - norm.running_mean.double() * gain
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(gain * torch.sqrt(variance + norm.eps))
            norm.bias.copy_(offset + mean * gain)


def _neuron(layers: Sequence[Layer]) -> NeuronSpec:
    """The neuron in SLAYER's parameters: exactly the usual one where it has the same integers on Loihi."""
    usual = NeuronSpec()
    bits = (usual.current_decay_bits, usual.voltage_decay_bits, usual.threshold_mantissa)
    if not layers or (found := layers[0].neuron) == Neuron(*bits):
        return usual
    return NeuronSpec(found.threshold / WEIGHT_SCALE, found.current_decay / DECAY_ONE, found.voltage_decay / DECAY_ONE)


def _fill(part: OrdinaryPart, layers: list[tuple[Tensor, Tensor]]) -> None:
    convolutions = list(part.convolutions)
    stages = [*zip(convolutions[::3], convolutions[1::3], strict=True), (part.head[2], part.head[3])]
    for (layer, norm), (weight, bias) in zip(stages, layers[:-1], strict=True):
        first = layer is stages[0][0]
        layer.weight.copy_(weight / part.scale if first else weight)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
    part.head[6].weight.copy_(layers[-1][0])
    part.head[6].bias.copy_(layers[-1][1])
