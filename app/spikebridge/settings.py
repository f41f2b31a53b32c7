"""What can be chosen for a run. The defaults of the whole program stand here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from spikebridge.errors import UsageError

DEFAULT_SOURCE = "sim:"
DEFAULT_MODEL = "s2a4-stream"

SnnBackend: TypeAlias = Literal["emulator", "lava", "loihi2"]
#: ``stream``: state persists, a decision every hop. ``window``: the paper's protocol, reset between windows of T steps.
Mode: TypeAlias = Literal["stream", "window"]
#: How a sensor of another size is mapped onto the network's input; see ``bundle.InputSpec``.
Fit: TypeAlias = Literal["center", "full"]

#: Of time stamps in tables.
TimeUnit: TypeAlias = Literal["s", "ms", "us", "ns"]

#: Noise filters between source and chain.
FilterKind: TypeAlias = Literal["background", "refractory", "hot", "rate"]

TIME_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)
FILTER_KINDS: tuple[FilterKind, ...] = get_args(FilterKind)
SNN_BACKENDS: tuple[SnnBackend, ...] = get_args(SnnBackend)
MODES: tuple[Mode, ...] = get_args(Mode)
FITS: tuple[Fit, ...] = get_args(Fit)

#: Of filters: longer times and higher rates are slips of the keyboard.
MAX_FILTER_US = 60_000_000
MAX_RATE_HZ = 1_000_000_000

#: Names of Lava's ``ChipGeneration``; N3B3 is most of the boards.
GENERATIONS = ("N3B2", "N3B3", "N3C1", "N3D1")


@dataclass(frozen=True, slots=True)
class LoihiBoard:
    """Where a Loihi 2 board is.

    host : ``slurm`` schedules one (Intel's cloud, a cluster), ``ethernet`` names one on the network.
    address : IP address of the ethernet host. partition, board : SLURM's, at most one of them.
    generation : of the chip. profile : attach the power and time profilers; they cost time around each step.
    """

    host: Literal["slurm", "ethernet"] = "slurm"
    address: str | None = None
    partition: str | None = None
    board: str | None = None
    generation: str = "N3B3"
    profile: bool = True

    def __post_init__(self) -> None:
        if self.host == "ethernet" and not self.address:
            raise UsageError("expected the address of the Loihi 2 host for ethernet, found none; name it.")
        if self.host == "slurm" and self.partition and self.board:
            raise UsageError(
                f"expected a SLURM partition or a board, found both ({self.partition}, {self.board}); name one."
            )
        if self.generation not in GENERATIONS:
            raise UsageError(
                f"expected a Loihi generation among {', '.join(GENERATIONS)}, found '{self.generation}'; name one."
            )


@dataclass(frozen=True, slots=True)
class SnnSettings:
    """Where the spiking layers run.

    lava_python : interpreter that has Lava; None for the one that is found. board : only for ``loihi2``; None for
    SLURM's choice.
    """

    backend: SnnBackend = "emulator"
    lava_python: Path | None = None
    board: LoihiBoard | None = None

    def __post_init__(self) -> None:
        if self.backend not in SNN_BACKENDS:
            raise UsageError(f"expected --snn to be one of {', '.join(SNN_BACKENDS)}, found '{self.backend}'.")


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """One network on the stream.

    name : of the lane; empty for the bundle's. fit : another mapping of the sensor than the bundle's, or None.
    """

    model: str = DEFAULT_MODEL
    name: str = ""
    snn: SnnSettings = field(default_factory=SnnSettings)
    ann: str = "cpu"
    mode: Mode = "stream"
    fit: Fit | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"expected --mode to be {' or '.join(MODES)}, found '{self.mode}'.")


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What the reader of a file is told that the file may not say of itself; what it does say counts more.

    size : (width, height) px of the sensor. columns : of a table, in order, e.g. ``txyp``. time_unit : of a table.
    """

    size: tuple[int, int] | None = None
    columns: str | None = None
    time_unit: TimeUnit | None = None


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What a camera is set to when it is opened; what is not given stays as the camera has it.

    biases : (the device's own name, value). erc_rate_hz : events per second that the camera lets through at most. roi :
    (x, y, width, height) px from the top left; no events come from elsewhere. antiflicker_hz : (lowest, highest)
    frequency of lamps to be left out; True for the device's own band.
    """

    biases: tuple[tuple[str, int], ...] = ()
    erc_rate_hz: int | None = None
    roi: tuple[int, int, int, int] | None = None
    antiflicker_hz: tuple[int, int] | Literal[True] | None = None

    def __post_init__(self) -> None:
        if self.erc_rate_hz is not None and self.erc_rate_hz <= 0:
            raise UsageError(f"expected an event rate limit of 1 event per second or more, found {self.erc_rate_hz}.")
        if self.roi is not None and (min(self.roi[:2]) < 0 or min(self.roi[2:]) <= 0):
            raise UsageError(f"expected a region X,Y,WIDTH,HEIGHT with some px in it, found {_listed(self.roi)}.")
        band = self.antiflicker_hz
        if isinstance(band, tuple) and not 0 < band[0] < band[1]:
            raise UsageError(f"expected a band LOWEST-HIGHEST in Hz, found {band[0]}-{band[1]}.")
        names = [name for name, _ in self.biases]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise UsageError(f"expected each bias once, found {twice} twice.")


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """One noise filter; the fields that its kind does not use stay as they are.

    time_us : how old the event of a neighbour may be (``background``), how long a pixel rests after an event
    (``refractory``), how long pixels are watched (``hot``). rate_hz : events per second that pass at most (``rate``).
    mask : file with the pixels to leave out, instead of watching (``hot``).
    """

    kind: FilterKind
    time_us: int = 0
    rate_hz: int = 0
    mask: Path | None = None

    def __post_init__(self) -> None:
        if self.kind not in FILTER_KINDS:
            raise UsageError(f"expected a filter among {', '.join(FILTER_KINDS)}, found '{self.kind}'; name one.")
        if self.kind == "rate" and not 0 < self.rate_hz <= MAX_RATE_HZ:
            raise UsageError(f"expected a rate of 1 to {MAX_RATE_HZ:,} events per second, found {self.rate_hz}.")
        if self.kind != "rate" and self.mask is None and not 0 < self.time_us <= MAX_FILTER_US:
            raise UsageError(
                f"expected a time of 1 µs to {MAX_FILTER_US // 1_000_000} s for the filter {self.kind}, found "
                f"{self.time_us} µs."
            )


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Encryption of a network stream, as files in PEM; none at all for a stream in the clear.

    ca : of those whose certificates the other side may have; None for the system's. certificate, key : of this side.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise UsageError("expected --tls-cert and --tls-key together, found one of them; give both.")

    @property
    def wanted(self) -> bool:
        return self.ca is not None or self.certificate is not None


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How a source is played.

    speed : 1.0 is real time, ``math.inf`` as fast as the chain takes it. loop : a recording starts again at its end.
    max_gap_us : the longest silence of a recording that is replayed. seed : of the simulated camera. read : what a
    recording does not say of itself. camera : what a camera is set to. reconnect : a camera or server that was lost is
    waited for. filters : that the events go through, in this order. tls : of a network stream.
    """

    speed: float = 1.0
    loop: bool = False
    max_gap_us: int | None = None
    seed: int | None = None
    read: ReadSettings = ReadSettings()
    camera: CameraSettings = CameraSettings()
    reconnect: bool = True
    filters: tuple[FilterSettings, ...] = ()
    tls: TlsSettings = TlsSettings()


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What is kept of a run. path : of a recording. session : folder that takes the decisions as well, see
    ``run.session_files``; it holds a recording, so that there is one of the two. label : what is performed at first."""

    path: Path | None = None
    session: Path | None = None
    label: str | None = None

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self.path is not None or self.session is not None

    def __post_init__(self) -> None:
        if self.path is not None and self.session is not None:
            raise UsageError(
                "expected either --record or --session, found both; a session holds the recording, leave --record out."
            )
        if self.label is not None and not self.keeps:
            raise UsageError("expected --record or --session beside --label, found neither; say what takes the label.")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """One source and the networks that it feeds. estimate_host : watts from CPU time where no meter can be read."""

    lanes: tuple[LaneSettings, ...] = (LaneSettings(),)
    source: SourceSettings = field(default_factory=SourceSettings)
    estimate_host: bool = True
    record: RecordSettings = RecordSettings()
