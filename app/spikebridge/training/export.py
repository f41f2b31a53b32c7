"""From a checkpoint to a model bundle; refuses when what would run differs from what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spikebridge.bundle import AccumulatorSpec, load_model, sha256
from spikebridge.chain.accumulator import Accumulator
from spikebridge.datasets.augmentation import IDENTITY, Variation
from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.event_batch import EventBatch
from spikebridge.datasets.window_binning import bin_window
from spikebridge.datasets.windows import fixed_windows
from spikebridge.errors import BundleError, InputError, UsageError
from spikebridge.evaluation.calibration import calibration_error, choose_threshold, fit_temperature
from spikebridge.evaluation.summary import confusion
from spikebridge.files import folder_replacement
from spikebridge.snn import Conv, Dense, Emulator, Network, Neuron, save_network
from spikebridge.snn.network import Layer
from spikebridge.training.checkpoint import load_checkpoint
from spikebridge.training.contract import BundleText, ValidationFigures, write_contract
from spikebridge.training.model_card import write_card
from spikebridge.training.network import HybridNetwork, NetworkSpec
from spikebridge.training.onnx_graph import run_onnx, write_onnx
from spikebridge.training.validation import WARM_UP_STEPS, validate, windows_of

#: Windows compared between the trained network and what was exported.
_COMPARED = 24
_LOGIT_TOLERANCE = 1e-4


def export_bundle(
    checkpoint: Path,
    folder: Path,
    clips: ClipSet,
    text: BundleText,
    smoothing_us: int = 20_000,
    at_most: int | None = None,
) -> None:
    """Writes the bundle and loads it back.

    clips : the set that the network was trained on; calibration and comparison take its validation persons.
    smoothing_us : of the decision. at_most : of the validation clips; None for all. Raises BundleError, and writes
    nothing, when the emulator or the ONNX graph differs from the trained network.
    """
    network, record = load_checkpoint(checkpoint)
    network.eval()
    if network.spec.control != "none":
        raise UsageError(f"expected a network for use, found the control '{network.spec.control}'; it is not exported.")
    _, validation = clips.split(record.plan.held_out)
    if not validation:
        raise InputError(f"expected validation persons in {clips.folder}, found none; give the set of the training.")
    if at_most is not None:
        chosen = np.random.default_rng(0).permutation(len(validation))[:at_most]
        validation = sorted(validation[i] for i in chosen)
    with folder_replacement(folder) as temporary:
        if network.spiking is not None:
            save_network(to_loihi(network), temporary / "snn.net")
        write_onnx(network.ordinary, network.spec, temporary / "ann.onnx")
        _compare(network, temporary, clips, validation)
        figures = _figures(network, clips, validation)
        files = {name: sha256(temporary / name) for name in ("snn.net", "ann.onnx") if (temporary / name).is_file()}
        write_contract(temporary / "model.toml", network.spec, files, figures, record, text, smoothing_us)
        write_card(temporary / "README.md", network, figures, record, text)
        load_model(temporary)


def to_loihi(network: HybridNetwork) -> Network:
    """The spiking layers in Loihi's integers."""
    if network.spiking is None:
        raise ValueError("expected a network with spiking layers, got an ordinary one")
    spec = network.spec.neuron
    neuron = Neuron(spec.current_decay_bits, spec.voltage_decay_bits, spec.threshold_mantissa)
    layers: list[Layer] = []
    for index, weight in enumerate(network.spiking.integer_weights()):
        if weight.ndim == 4:
            layers.append(Conv(f"conv{index + 1}", weight, neuron, None, stride=(2, 2), padding=(1, 1)))
        else:
            layers.append(Dense(f"dense{index + 1 - network.spec.spiking}", weight, neuron, None))
    return Network((2, network.spiking.size, network.spiking.size), tuple(layers))


def emulate(network: Network, events: EventBatch, spec: NetworkSpec) -> NDArray[np.uint8]:
    """(B, C·T/I, h, w) counts of emulator and accumulator; silent steps at the end flush the layers' delays."""
    emulator = Emulator(network)
    accumulator = Accumulator(AccumulatorSpec(spec.window_steps, spec.interval_steps, 1), network.output_shape)
    result = []
    for counts in events.counts(network.input_shape):
        emulator.reset()
        accumulator.reset()
        for step in (*counts, *np.zeros((len(network.layers), *network.input_shape), np.uint8)):
            accumulator.push(emulator.step(step))
        result.append(accumulator.features())
    return np.stack(result)


def _compare(network: HybridNetwork, folder: Path, clips: ClipSet, indices: list[int]) -> None:
    spec = network.spec
    chosen = indices[:: max(1, len(indices) // _COMPARED)]
    batch = next(fixed_windows(clips, chosen, windows_of(spec, warm=True), spec.window_steps * 4, _COMPARED))
    with torch.no_grad():
        trained, _ = network.features(batch.events)
        expected = network.ordinary(trained).numpy()
    features = trained.numpy().astype(np.uint8)
    if network.spiking is not None:
        found = emulate(to_loihi(network), batch.events, spec)
        if differing := int((found != features).sum()):
            raise BundleError(
                f"expected the emulator to give the counts of the trained network, found {differing} of "
                f"{features.size} different over {len(features)} windows; the bundle was not written."
            )
    error = float(np.abs(run_onnx(folder / "ann.onnx", features) - expected).max())
    if not error <= _LOGIT_TOLERANCE:
        raise BundleError(
            f"expected logits of the exported ANN within {_LOGIT_TOLERANCE} of the trained network's, found them "
            f"{error:.2g} off; the bundle was not written."
        )


def _figures(network: HybridNetwork, clips: ClipSet, validation: list[int]) -> ValidationFigures:
    """Calibrates and measures on validation persons."""
    window = validate(network, clips, validation, warm=False)
    streaming = validate(network, clips, validation, warm=True, hop_steps=4)
    temperature = fit_temperature(streaming.logits, streaming.labels)
    return ValidationFigures(
        temperature=temperature,
        threshold=choose_threshold(_empty_logits(network), temperature),
        persons=len({clips.clips[i][1].person for i in validation}),
        clips=len(validation),
        window=round(window.window_accuracy, 4),
        streaming=round(streaming.window_accuracy, 4),
        clip=round(window.clip_accuracy, 4),
        calibration_error=round(calibration_error(streaming.logits, streaming.labels, temperature), 4),
        spikes_per_window=round(window.spikes_per_window, 1),
        confusion=confusion(window.labels, window.logits.argmax(1)),
    )


def _empty_logits(network: HybridNetwork, windows: int = 400) -> NDArray[np.float32]:
    """(windows, n_labels) of windows with nobody in them: from silence to strong noise with hot pixels."""
    random = np.random.default_rng(0)
    spec = network.spec
    nothing = np.zeros(0, np.uint16)
    result = []
    for seed in range(windows):
        noise = Variation(
            IDENTITY.matrix,
            noise_per_step=40 * random.random() ** 2,
            hot=random.integers(0, 2 * 128 * 128, random.integers(0, 9)),
            hot_share=random.random(),
        )
        active, offsets = bin_window(nothing, nothing, 0, spec.window_steps + WARM_UP_STEPS, 100, noise, seed)
        with torch.no_grad():
            result.append(network(EventBatch(active, offsets[None]))[0].numpy())
    return np.concatenate(result)
