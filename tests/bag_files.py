"""Bags of ROS with events, made with rosbags' own writers and serializers from the definitions of the messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from spikebridge.events import EventArray

_EVENT = "uint16 x\nuint16 y\n{time} ts\nbool polarity\n"
_ARRAY = "std_msgs/Header header\nuint32 height\nuint32 width\n{package}/Event[] events\n"
_PACKET = (
    "std_msgs/Header header\nuint32 height\nuint32 width\nuint64 seq\nuint64 time_base\nstring encoding\n"
    "bool is_bigendian\nuint8[] events\n"
)


def typestore(version: int) -> Any:
    """With the messages that hold events."""
    store = get_typestore(Stores.ROS1_NOETIC if version == 1 else Stores.ROS2_HUMBLE)
    time = "time" if version == 1 else "builtin_interfaces/Time"
    types = {}
    for package in ("dvs_msgs", "prophesee_event_msgs"):
        types |= get_types_from_msg(_EVENT.format(time=time), f"{package}/msg/Event")
        types |= get_types_from_msg(_ARRAY.format(package=package), f"{package}/msg/EventArray")
    for name in ("event_camera_msgs/msg/EventPacket", "event_array_msgs/msg/EventArray"):
        types |= get_types_from_msg(_PACKET, name)
    store.register(types)
    return store


class BagMaker:
    """A bag of version 1 or 2 that is being written; messages get the host time of their first event."""

    def __init__(self, path: Path, version: int, storage: str = "mcap") -> None:
        self.version, self.store = version, typestore(version)
        self.writer: Any = (
            Writer1(path) if version == 1 else Writer2(path, version=9, storage_plugin=StoragePlugin[storage.upper()])
        )
        self._connections: dict[str, Any] = {}
        self._seq = 0

    def __enter__(self) -> BagMaker:
        self.writer.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()

    def add(self, topic: str, kind: str, message: Any, t_ns: int) -> None:
        if topic not in self._connections:
            self._connections[topic] = self.writer.add_connection(topic, kind, typestore=self.store)
        serialize = self.store.serialize_ros1 if self.version == 1 else self.store.serialize_cdr
        self.writer.write(self._connections[topic], t_ns, serialize(message, kind))

    def header(self, frame: str = "cam") -> Any:
        types = self.store.types
        stamp = types["builtin_interfaces/msg/Time"](sec=1, nanosec=2)
        self._seq += 1
        extra = {"seq": self._seq} if self.version == 1 else {}
        return types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame, **extra)

    def array(
        self,
        events: EventArray,
        size: tuple[int, int],
        topic: str = "/dvs/events",
        package: str = "dvs_msgs",
        frame: str = "cam",
    ) -> None:
        types = self.store.types
        made = [
            types[f"{package}/msg/Event"](
                x=int(e["x"]),
                y=int(e["y"]),
                ts=types["builtin_interfaces/msg/Time"](
                    sec=int(e["t"]) // 1_000_000, nanosec=int(e["t"]) % 1_000_000 * 1000 + 999
                ),
                polarity=bool(e["polarity"]),
            )
            for e in events
        ]
        kind = f"{package}/msg/EventArray"
        message = types[kind](header=self.header(frame), height=size[1], width=size[0], events=made)
        self.add(topic, kind, message, int(events["t"][0]) * 1000 if events.size else 0)

    def packet(
        self,
        payload: bytes,
        encoding: str,
        size: tuple[int, int],
        t_ns: int,
        base_ns: int = 0,
        topic: str = "/event_camera/events",
        kind: str = "event_camera_msgs/msg/EventPacket",
    ) -> None:
        message = self.store.types[kind](
            header=self.header(),
            height=size[1],
            width=size[0],
            seq=self._seq,
            time_base=base_ns,
            encoding=encoding,
            is_bigendian=False,
            events=np.frombuffer(payload, np.uint8),
        )
        self.add(topic, kind, message, t_ns)


def mono_words(events: EventArray, base_ns: int) -> bytes:
    """64-bit words of the encoding "mono"."""
    x, y, polarity = (events[name].astype(np.uint64) for name in ("x", "y", "polarity"))
    dt = events["t"].astype(np.uint64) * 1000 - np.uint64(base_ns)
    return (dt | x << 32 | y << 48 | polarity << 63).astype("<u8").tobytes()
