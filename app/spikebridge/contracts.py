"""The records and protocols between the stages. Read this first.

    source ─EventPacket→ inbox → bin ─counts→ SNN ─spikes→ accumulator ─features→ ANN ─logits→ decision ─Snapshot→ views

Beside it: ``events`` (EventPacket), ``stages`` (the stages by name), ``snapshot`` (what leaves a run), ``settings``.

Units are in the names: ``_us`` the camera's clock in µs, ``_ns`` the host's monotonic clock in ns, ``_w`` watts,
``_mj`` millijoules, ``_hz`` per second. Ranges are half open. Arrays in records are read-only: whoever holds one may
keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, EventPacket, Sensor

#: The classes of DVS128 Gesture, in the order used everywhere; left, right and clockwise are the performer's.
LABELS: tuple[str, ...] = (
    "hand_clap",
    "right_hand_wave",
    "left_hand_wave",
    "right_arm_clockwise",
    "right_arm_counter_clockwise",
    "left_arm_clockwise",
    "left_arm_counter_clockwise",
    "arm_roll",
    "air_drums",
    "air_guitar",
    "other",
)

#: Where a figure comes from. ``unavailable`` figures have no value.
Provenance: TypeAlias = Literal["measured", "estimated", "simulated", "unavailable"]

Counts: TypeAlias = NDArray[np.uint8]
Spikes: TypeAlias = NDArray[np.uint8]
Features: TypeAlias = NDArray[np.uint8]
Logits: TypeAlias = NDArray[np.float32]

#: Takes words on something slow, several times a second and often the same ones; raises CancelledError to abandon it.
Say: TypeAlias = Callable[[str], None]


def say_nothing(words: str) -> None:
    """A ``Say`` for those who do not want to hear."""


# ---------------------------------------------------------------- sources


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source is; fixed while it is open.

    uri : as it can be given on the command line.
    title : a few words for the screen, e.g. ``Simulated camera`` or the file's name.
    kind : ``recording`` can seek; ``live`` drops the oldest when the chain is late; ``simulated`` is live by contract.
    t_first_us, t_last_us : camera clock of the first and last event of a recording; None otherwise.
    """

    uri: str
    title: str
    kind: Literal["recording", "live", "simulated"]
    sensor: Sensor
    t_first_us: int | None = None
    t_last_us: int | None = None


@dataclass(frozen=True, slots=True)
class SourceCounters:
    """Monotonic counts of one open source.

    read : events given out so far. dropped : events lost before: in the driver's ring, or in the file because nothing
    true can be made of them (outside the sensor, marked invalid, left over from before the recording).
    skipped_bytes : bytes of the file that could not be read as events. truncated : the file ends inside a packet.
    notes : one sentence for each oddity found. out_of_order : events given out at another time than their own, because
    that ran back. filtered : events that filters took out on purpose; they are among ``read``.
    """

    read: int = 0
    dropped: int = 0
    skipped_bytes: int = 0
    truncated: bool = False
    notes: tuple[str, ...] = ()
    out_of_order: int = 0
    filtered: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture that a camera took beside its events.

    t_us : camera clock when it was taken. pixels : (H, W) uint8 grey, the sensor's pixels, read-only.
    """

    t_us: int
    pixels: NDArray[np.uint8]


@runtime_checkable
class Framed(Protocol):
    """A source or recording of a camera that takes frames as well."""

    def frame_at(self, t_us: int) -> Frame | None:
        """The newest one taken before ``t_us``; None where there is none. May take some ms."""
        ...


class Source(Protocol):
    """A regular stream of packets: one for each ``step_us``, also when nothing moved."""

    @property
    def info(self) -> SourceInfo: ...

    def counters(self) -> SourceCounters: ...

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        """Packets of ``step_us`` until the end of the recording or ``close``; paced as the source was asked to."""
        ...

    def close(self) -> None:
        """Ends ``packets`` within 0.2 s from any thread; may be called twice."""
        ...


class Recording(Protocol):
    """Random access in time to a file; what a format's reader has to offer. Not thread safe."""

    @property
    def info(self) -> SourceInfo: ...

    def counters(self) -> SourceCounters: ...

    def read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        """Events with ``t_start_us <= t < t_stop_us``, sorted by ``t``; fastest when called in ascending order."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """Where a replay is; ``position_us`` is the camera clock of the next step."""

    position_us: int
    paused: bool
    speed: float
    loop: bool


@runtime_checkable
class Replay(Source, Protocol):
    """A recording as a source, with the controls of the replay bar; every call is thread safe and returns at once."""

    def status(self) -> ReplayStatus: ...

    def pause(self, paused: bool) -> None: ...

    def seek(self, t_us: int) -> None:
        """The next packet starts at the step that holds ``t_us`` and has ``gap`` set."""
        ...

    def step(self) -> None:
        """While paused: one packet, then pause again."""
        ...

    def set_speed(self, speed: float) -> None:
        """1.0 is real time, ``math.inf`` as fast as the chain takes it."""
        ...

    def set_loop(self, loop: bool) -> None: ...

    def overview(self) -> NDArray[np.float32]:
        """Event rate over the recording: (256,) events per second, for the seek bar; empty until it is known."""
        ...


# ---------------------------------------------------------------- network stages


@dataclass(frozen=True, slots=True)
class LayerActivity:
    """Monotonic counts of one spiking layer since the stage was built (not since ``reset``).

    overflows : how often a neuron received more in a step than the chip's accumulator of 21 bits and sign holds; None
    where the backend does not show it.
    """

    name: str
    neurons: int
    synaptic_events: int
    neuron_updates: int
    spikes: int
    overflows: int | None = 0


@dataclass(frozen=True, slots=True)
class SnnActivity:
    """Monotonic counts of the spiking part.

    steps : time steps run. input_events : non-zero input counts. layers : from input to output.
    ``layers[-1].spikes`` are the messages that cross the bridge.
    """

    steps: int
    input_events: int
    layers: tuple[LayerActivity, ...]


class SnnStage(Protocol):
    """The spiking layers. State persists between steps."""

    @property
    def name(self) -> str:
        """Backend for the screen: ``Loihi emulator``, ``Lava CPU simulation``, ``Loihi 2``."""
        ...

    def step(self, counts: Counts) -> Spikes:
        """One time step: (C, H, W) uint8 in, (C', H', W') uint8 of 0 and 1 out, each layer's delay included."""
        ...

    def reset(self) -> None:
        """Clears currents, voltages and delay lines."""
        ...

    def activity(self) -> SnnActivity: ...

    def meter(self) -> SnnMeter:
        """A new meter of the chip that the layers run on, or that this backend stands for."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class StartingStage(Protocol):
    """A stage that takes seconds to start, in the background, and that ``reset`` starts anew after it failed."""

    @property
    def state(self) -> str:
        """How far it is, for the screen; ``running`` once it takes steps. Never blocks."""
        ...

    def wait_ready(self, say: Say = ...) -> None:
        """Returns once it takes steps; ``say`` hears ``state`` meanwhile. Raises what kept it from starting."""
        ...


class AnnStage(Protocol):
    """The ordinary layers."""

    @property
    def name(self) -> str:
        """Backend for the screen, as granted, not as asked for: ``ONNX Runtime CPU``."""
        ...

    def classify(self, features: Features) -> Logits:
        """(C·T/I, h, w) uint8 spike counts in, (n_labels,) float32 out."""
        ...

    def close(self) -> None: ...


# ---------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class PowerReading:
    """One rail at one moment.

    rail : name as the meter gives it. watts : None when unavailable. scope : what the figure covers, in words.
    whole : the rail already contains the others of the same meter: never add them to it.
    static_w : the part of ``watts`` that flows without activity, where it is known.
    per_busy_core_w : of an estimate from processor time: what one busy core is taken to draw.
    fix : the command that makes an unavailable rail readable, where one does.
    """

    rail: str
    watts: float | None
    provenance: Provenance
    scope: str
    whole: bool = False
    static_w: float | None = None
    per_busy_core_w: float | None = None
    fix: str = ""


class PowerMeter(Protocol):
    """One way to read power. ``read`` returns in under 5 ms; called about ten times a second from one thread."""

    @property
    def name(self) -> str: ...

    def read(self) -> tuple[PowerReading, ...]: ...


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of one decision in one stage; the values are None where it is ``unavailable``.

    activity_mj : what the work itself costs: events and spikes, or the time that a processor was busy.
    constant_mj : what the same steps cost on a chip to which nothing comes: each neuron is visited in each step.
    static_mj : what flows without any work, over the time of the decision; None where it is not known.
    static_source : whose figure the static power is.
    """

    activity_mj: float | None
    provenance: Provenance
    constant_mj: float = 0.0
    static_mj: float | None = None
    static_source: str = ""

    @property
    def dynamic_mj(self) -> float | None:
        """All that is not static."""
        return None if self.activity_mj is None else self.activity_mj + self.constant_mj


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Activity of one spiking layer over a run and its dynamic energy in mJ, by cause.

    messages : leave the layer, one for each core that a spike goes to. visits_mj : each neuron in each step, active or
    not. updates_mj : neurons that do not rest.
    """

    name: str
    neurons: int
    synaptic_events: int
    neuron_updates: int
    spikes: int
    messages: float
    synapses_mj: float
    visits_mj: float
    updates_mj: float
    spikes_mj: float
    messages_mj: float

    @property
    def activity_mj(self) -> float:
        """All but the visits."""
        return self.synapses_mj + self.updates_mj + self.spikes_mj + self.messages_mj

    @property
    def dynamic_mj(self) -> float:
        return self.activity_mj + self.visits_mj


@dataclass(frozen=True, slots=True)
class SnnCost:
    """What ``steps`` time steps cost on a chip, estimated.

    input_events : non-zero input counts. input_messages : theirs to the first layer, one for each core that an event
    goes to, with input_mj for all of them. chip_step_us : mean time of a step on the chip, without input and output.
    source, static_source : whose prices, and whose static power.
    """

    chip: str
    source: str
    steps: int
    input_events: int
    input_messages: float
    input_mj: float
    layers: tuple[LayerCost, ...]
    static_mj: float
    static_source: str
    chip_step_us: float

    @property
    def constant_mj(self) -> float:
        """What silent steps would have cost as well."""
        return sum(layer.visits_mj for layer in self.layers)

    @property
    def activity_mj(self) -> float:
        return self.input_mj + sum(layer.activity_mj for layer in self.layers)

    @property
    def dynamic_mj(self) -> float:
        return self.activity_mj + self.constant_mj


class SnnMeter(PowerMeter, Protocol):
    """Power of the chip that the spiking layers run on, measured or modelled. Readings that are not ``whole`` are
    single rails of it."""

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        """Of one decision, over the whole run that ``activity`` was counted in."""
        ...

    def cost(self, activity: SnnActivity, step_us: float) -> SnnCost | None:
        """The run by layer and cause; None where the chip does not show what its layers do."""
        ...
