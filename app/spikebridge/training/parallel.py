"""One training on several processes, as ``torchrun`` starts them, and on CPU and CUDA together.

Each process takes its part of every batch, and the gradients are averaged, so that the weights stay the same
everywhere; a network has two hundred thousand of them, hence one sum after the backward pass and nothing cleverer.
Normalisation takes the statistics of the whole batch. So any number of processes trains what one would have trained.

The spiking layers run on the CPU, in the compiled kernels: they are sparse, and a batch of events is small. The
ordinary layers run on any device of torch. Accumulated counts and their gradient cross between them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.distributed import ReduceOp

from spikebridge.errors import MissingError, UsageError


class Group:
    """The processes that train together; this one is number ``rank`` of ``size`` and has its ordinary layers on
    ``device``."""

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        self.rank = rank
        self.size = size
        self.device = device or torch.device("cpu")

    @property
    def leads(self) -> bool:
        """Whether this process validates, writes and talks."""
        return self.rank == 0

    def part(self, batch: int) -> range:
        """Which of ``batch`` windows this process takes; raises UsageError when they can't be shared evenly."""
        if batch % self.size:
            raise UsageError(
                f"expected a batch that {self.size} processes can share, found {batch} windows; start a divisor of it."
            )
        share = batch // self.size
        return range(self.rank * share, (self.rank + 1) * share)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces all gradients by their mean over the processes."""
        if self.size == 1:
            return
        by_device: dict[torch.device, list[Tensor]] = {}
        for parameter in parameters:
            if parameter.grad is not None:
                by_device.setdefault(parameter.device, []).append(parameter.grad)
        for gradients in by_device.values():
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            torch.distributed.all_reduce(flat)
            parts = (flat / self.size).split([gradient.numel() for gradient in gradients])
            for gradient, part in zip(gradients, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    def from_leader(self, numbers: list[float]) -> list[float]:
        """The leader's numbers, in every process; waits for it."""
        if self.size == 1:
            return numbers
        shared = torch.tensor(numbers, dtype=torch.float64)
        torch.distributed.broadcast(shared, 0)
        return shared.tolist()

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            torch.distributed.barrier()

    def share_statistics(self, network: nn.Module) -> None:
        """Lets the normalisations of ``network`` see the whole batch."""
        if self.size > 1:
            for module in network.modules():
                if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                    module.forward = _Shared(module, self.size)


def join_group(device: torch.device) -> Group:
    """The group that ``torchrun`` describes in the environment, or a group of one; ``leave_group`` ends it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Group(device=device)
    # The spiking weights are on the CPU, wherever the others are.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    torch.distributed.init_process_group(backend)
    return Group(torch.distributed.get_rank(), size, device)


def leave_group(group: Group) -> None:
    """Undoes ``join_group``."""
    if group.size > 1:
        torch.distributed.destroy_process_group()


def choose_device(name: str) -> torch.device:
    """The device for the ordinary layers: ``auto``, ``cpu``, ``cuda`` or ``cuda:<n>``.

    auto : CUDA where there is some. ``auto`` and ``cuda`` give each process on a machine a GPU of its own. Raises
    MissingError for a device that is not there, UsageError for another name.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind not in ("auto", "cuda") or (number and not number.isdecimal()):
        raise UsageError(f"expected the device to be auto, cpu, cuda or cuda:<number>, found '{name}'.")
    index = int(number or os.environ.get("LOCAL_RANK", "0"))
    if index >= torch.cuda.device_count():
        raise MissingError(
            f"expected the GPU cuda:{index}, found {torch.cuda.device_count()} GPUs that torch can use; take --device "
            "cpu or install torch for your CUDA."
        )
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


class _Shared:
    """Batch normalisation over the batches of all processes; torch's own refuses the CPU."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, size: int) -> None:
        self._norm = norm
        self._alone = norm.forward
        self._size = size

    def __call__(self, values: Tensor) -> Tensor:
        norm = self._norm
        if not norm.training:
            return self._alone(values)
        axes = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1, *[1] * (values.ndim - 2)]
        mean = _Mean.apply(values.mean(axes), self._size)
        centred = values - mean.view(shape)
        variance = _Mean.apply((centred * centred).mean(axes), self._size)
        if norm.running_mean is None or norm.running_var is None or norm.momentum is None:
            raise ValueError("expected a normalisation with running statistics")
        n = values.numel() // values.shape[1] * self._size
        with torch.no_grad():
            norm.running_mean.lerp_(mean.detach(), norm.momentum)
            norm.running_var.lerp_(variance.detach() * (n / max(1, n - 1)), norm.momentum)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
        factor = norm.weight / torch.sqrt(variance + norm.eps)
        return centred * factor.view(shape) + norm.bias.view(shape)


class _Context(Protocol):
    """What torch hands from the forward to the backward pass."""

    size: int


class _Mean(torch.autograd.Function):
    """Mean over the processes; its gradient is the mean of their gradients, as each has a loss of its own."""

    @staticmethod
    def forward(ctx: _Context, values: Tensor, size: int) -> Tensor:
        ctx.size = size
        result = values.detach().clone()
        torch.distributed.all_reduce(result, ReduceOp.SUM)
        return result / size

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        torch.distributed.all_reduce(total, ReduceOp.SUM)
        return total / ctx.size, None
