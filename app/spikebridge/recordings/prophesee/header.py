"""The text that RAW and DAT files begin with: lines of ``% key value``, from many years and programs.

Keys as OpenEB 5.1 reads them (``generic_header.cpp``, ``psee_raw_file_header.cpp``); ``t0`` is faery's (0.7.1,
``utilities.rs``): µs to add to all times, for what the words cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings.recording_file import RecordingFile

_HEADER_BYTES = 1 << 20
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: Values of ``system_ID`` by the sensor they stand for (OpenEB 5.1, ``device_system_id.h``).
_GEN3, _GEN31 = (0x15, 0x17, 0x19, 0x1D, 0x21), (0x1C, 0x22, 0x23, 0x28, 0x29)
_GEN4, _GEN41, _IMX636 = (0x1A, 0x1E, 0x1F, 0x20, 0x2E), (0x27, 0x30), (0x31, 0x32, 0x3A, 0x42)
_GENX320 = (0x3B, 0x40)
_SYSTEMS: dict[int, Sensor] = {
    number: Sensor(width, height, name)
    for numbers, width, height, name in (
        (_GEN3, 640, 480, "Gen3.0"),
        (_GEN31, 640, 480, "Gen3.1"),
        (_GEN4, 1280, 720, "Gen4.0"),
        (_GEN41, 1280, 720, "Gen4.1"),
        (_IMX636, 1280, 720, "IMX636"),
        (_GENX320, 320, 320, "GenX320"),
    )
    for number in numbers
}
#: Start of a sensor's name, generation or plug-in → width, height. The first that fits counts.
_NAMES: tuple[tuple[str, int, int], ...] = (
    ("genx320", 320, 320),
    ("320.0", 320, 320),
    ("imx636", 1280, 720),
    ("imx646", 1280, 720),
    ("gen4", 1280, 720),
    ("4.", 1280, 720),
    ("gen3", 640, 480),
    ("3.", 640, 480),
)


@dataclass(frozen=True, slots=True)
class Header:
    """start : byte after the header. fields : value by key, keys in lower case; a key that comes again counts last."""

    start: int
    fields: Mapping[str, str]

    @property
    def t0_us(self) -> int:
        """To be added to all times, µs."""
        text = self.fields.get("t0", "")
        return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0

    @property
    def system(self) -> int:
        """Number of the kind of camera; -1 where none is given."""
        text = self.fields.get("system_id", "")
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1


def read_header(file: RecordingFile) -> Header:
    """The lines of text at the beginning that start with ``%``, up to ``% end`` if there is such a line.

    Words may begin with the byte of ``%`` as well: a line counts only when it is text up to its end.
    """
    content = file.read(0, _HEADER_BYTES)
    fields: dict[str, str] = {}
    at = 0
    while content[at : at + 1] == b"%":
        end = content.find(b"\n", at)
        if end < 0 or content[at + 1 : at + 2] not in (b" ", b"\t", b"\r", b"\n") or _CONTROL.search(content, at, end):
            break
        line = "".join(c if c.isprintable() else " " for c in content[at + 1 : end].decode("latin-1"))
        key, _, value = line.strip().partition(" ")
        at = end + 1
        if key == "end":
            break
        fields[key.lower()] = value.strip()
    return Header(at, fields)


def options(value: str) -> tuple[str, Mapping[str, str]]:
    """Name and options of a format as in ``EVT3;height=720;width=1280``."""
    name, *rest = (part.strip() for part in value.split(";"))
    return name, dict(part.split("=", 1) for part in rest if "=" in part)


def find_sensor(header: Header) -> Sensor | None:
    """Name and size of the sensor as far as the header says or implies its size."""
    fields = header.fields
    _, given = options(fields.get("format", ""))
    known = _SYSTEMS.get(header.system)
    name = fields.get("sensor_name") or (known.name if known else "") or _generation(fields)
    for width, height in (
        (given.get("width", ""), given.get("height", "")),
        tuple((*re.split("[xX]", fields.get("geometry", "")), "", "")[:2]),
        (fields.get("width", ""), fields.get("height", "")),
    ):
        size = _number(width), _number(height)
        if min(size) > 0:
            return Sensor(*size, name)
    if known:
        return Sensor(known.width, known.height, name)
    for text in (name, fields.get("generation", ""), fields.get("plugin_name", "").removeprefix("hal_plugin_")):
        for prefix, known_width, known_height in _NAMES:
            if text.lower().startswith(prefix):
                return Sensor(known_width, known_height, name)
    return None


def check_size(sensor: Sensor, largest: int, file: RecordingFile) -> Sensor:
    """The sensor, if a word can hold its coordinates; InputError where not, as the header is then wrong."""
    if max(sensor.width, sensor.height) > largest:
        raise InputError(
            f"expected the header of {file.path} to name a sensor of at most {largest}x{largest} px, found "
            f"{sensor.width}x{sensor.height}; the file is damaged, copy it again."
        )
    return sensor


def _generation(fields: Mapping[str, str]) -> str:
    """OpenEB calls sensors without a name so; 4.2 was the IMX636's number."""
    number = fields.get("sensor_generation", "")
    return "" if not number else "IMX636" if number == "4.2" else f"Gen{number}"


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
