"""Pictures into a film: MP4, GIF or, of the last one, PNG. The only file that imports PyAV.

Encoded on one thread, so that the same pictures give the same bytes with the same version of the encoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

from spikebridge.errors import InputError, UsageError
from spikebridge.files import replacement

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video import VideoFrame, VideoStream

SUFFIXES = (".mp4", ".gif", ".png")
#: x264's scale: 18 can hardly be told from the original.
_QUALITY = "18"


class FilmWriter(Protocol):
    """Takes one picture after the other, all of one size in even numbers of px."""

    def add(self, pixels: NDArray[np.uint32]) -> None:
        """pixels : (H, W) uint32, 0xAARRGGBB."""
        ...

    def end(self) -> None: ...


@contextmanager
def open_film(path: Path, fps: int, width: int, height: int) -> Iterator[FilmWriter]:
    """A film that becomes ``path`` when the context ends without an error; nothing is left of it otherwise."""
    check_name(path)
    with replacement(path, what="the film") as temporary:
        writer: FilmWriter
        if path.suffix.lower() == ".png":
            writer = _Still(temporary)
        elif path.suffix.lower() == ".gif":
            writer = _Gif(temporary, fps, width, height)
        else:
            writer = _Mp4(temporary, fps, width, height)
        yield writer
        writer.end()


def check_name(path: Path) -> None:
    """Raises UsageError for a name of no film."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"expected a film named *{', *'.join(SUFFIXES[:-1])} or *{SUFFIXES[-1]}, found '{path}'.")


class _Still:
    """The last picture alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: NDArray[np.uint32] | None = None

    def add(self, pixels: NDArray[np.uint32]) -> None:
        self._last = pixels

    def end(self) -> None:
        if self._last is None:
            raise ValueError("expected a picture before the end of the film, got none")
        pixels = np.ascontiguousarray(self._last)
        height, width = pixels.shape
        # PyQt takes any buffer, its stubs say bytes.
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)  # type: ignore[call-overload]
        if not image.save(str(self._path), "PNG"):
            raise InputError(
                f"expected to write a picture at {self._path.parent}, found that it failed; free some space."
            )


class _Encoded:
    """What films have in common."""

    def __init__(self, path: Path, kind: str, codec: str, fps: int) -> None:
        import av

        self._time_base = Fraction(1, fps)
        self._n = 0
        self._file = av.open(str(path), "w", format=kind)
        self._stream: VideoStream = self._file.add_stream(codec, rate=fps)  # type: ignore[assignment]
        self._stream.codec_context.thread_count = 1

    def end(self) -> None:
        self._file.mux(self._stream.encode())
        self._file.close()

    def _frame(self, pixels: NDArray[np.uint32]) -> VideoFrame:
        from av import VideoFrame

        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4), "bgra")
        return self._timed(frame)

    def _timed(self, frame: VideoFrame) -> VideoFrame:
        frame.pts, frame.time_base = self._n, self._time_base
        return frame


class _Mp4(_Encoded):
    def __init__(self, path: Path, fps: int, width: int, height: int) -> None:
        super().__init__(path, "mp4", "libx264", fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.options = {"crf": _QUALITY}

    def add(self, pixels: NDArray[np.uint32]) -> None:
        self._file.mux(self._stream.encode(self._frame(pixels)))
        self._n += 1


class _Gif(_Encoded):
    """Each picture in 256 colours of its own: for a palette of the whole film all of it would have to wait."""

    def __init__(self, path: Path, fps: int, width: int, height: int) -> None:
        super().__init__(path, "gif", "gif", fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "pal8"
        self._palettes = self._make_graph(width, height)

    def add(self, pixels: NDArray[np.uint32]) -> None:
        self._palettes.push(self._frame(pixels))
        self._file.mux(self._stream.encode(self._timed(self._palettes.pull())))  # type: ignore[arg-type]
        self._n += 1

    def _make_graph(self, width: int, height: int) -> Graph:
        from av import VideoFormat
        from av.filter import Graph

        graph = Graph()
        source = graph.add_buffer(width=width, height=height, format=VideoFormat("bgra"), time_base=self._time_base)
        split, sink = graph.add("split"), graph.add("buffersink")
        palette = graph.add("palettegen", "stats_mode=single")
        # Without dithering: it would flicker from picture to picture.
        paint = graph.add("paletteuse", "new=1:dither=none")
        source.link_to(split)
        split.link_to(palette, 0, 0)
        split.link_to(paint, 1, 0)
        palette.link_to(paint, 0, 1)
        paint.link_to(sink)
        graph.configure()
        return graph
