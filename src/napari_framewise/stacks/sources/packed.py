"""Arrays in one deflated stream, unpacked piece by piece as they are looked at.

A stream can only be read from its beginning; so the state of the unpacking is kept at places on the
way, from which reading goes on (after zlib's examples/zran.c, M. Adler).
"""

from __future__ import annotations

import math
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache
from napari_framewise.stacks.sources.mapped import mapped_file, strides_of

PIECE_BYTES = 2**22
# A kept state takes about 50 kB; no more of them than this for one stream.
_MOST_STATES = 256
_KEPT_PIECES = 8
# A byte of deflate can become no more bytes than this.
_MOST_INFLATED = 1032
_READ_BYTES = 2**18


class Stream:
    """The bytes that a deflated part of a file becomes.

    Parameters
    ----------
    path : str
        The file.
    start, stop : int
        Where in it the stream lies.
    wbits : int
        15 for a stream with zlib's header, -15 for one without.
    size : int
        How many bytes it becomes.
    crc : int, optional
        CRC-32 of all of them, checked when they have all been unpacked once, in order.
    """

    def __init__(
        self, path: str, start: int, stop: int, wbits: int, size: int, crc: int | None
    ) -> None:
        self._path, self._start, self._stop, self._size, self._crc = path, start, stop, size, crc
        self._lock = threading.Lock()
        self._count = -(-size // PIECE_BYTES)
        self._every = max(1, -(-self._count // _MOST_STATES))
        # State before a piece: where in the file reading goes on, what was read but not unpacked.
        self._states: dict[int, tuple[Any, int, bytes]] = {
            0: (zlib.decompressobj(wbits), start, b"")
        }
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._checked, self._sum = 0, 0
        self._front: tuple[int, tuple[Any, int, bytes]] = (0, self._states[0])

    def read(self, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop` (exclusive) of what it becomes.

        Raises
        ------
        ValueError
            Where the stream is damaged or becomes less.
        """
        parts = []
        for number in range(start // PIECE_BYTES, -(-stop // PIECE_BYTES)):
            first = number * PIECE_BYTES
            piece = self._piece(number)
            parts.append(piece[max(0, start - first) : stop - first])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _piece(self, number: int) -> bytes:
        with self._lock:
            if number in self._pieces:
                self._pieces.move_to_end(number)
                return self._pieces[number]
            at, state = self._front
            best = max(each for each in self._states if each <= number)
            if not best <= at <= number:
                at, (unpacker, place, tail) = best, self._states[best]
                state = (unpacker.copy(), place, tail)
            piece = b""
            while at <= number:
                if at % self._every == 0 and at not in self._states:
                    self._states[at] = (state[0].copy(), state[1], state[2])
                elif at in self._states and state[0] is self._states[at][0]:
                    state = (state[0].copy(), state[1], state[2])
                piece, state = self._next(at, state)
                at += 1
            self._front = (at, state)
            self._pieces[number] = piece
            while len(self._pieces) > _KEPT_PIECES:
                self._pieces.popitem(last=False)
            return piece

    def _next(self, number: int, state: tuple[Any, int, bytes]) -> tuple[bytes, Any]:
        """One piece, and the state behind it."""
        unpacker, place, tail = state
        wanted = min(PIECE_BYTES, self._size - number * PIECE_BYTES)
        content = mapped_file(self._path)
        parts: list[bytes] = []
        while wanted:
            if not tail:
                tail = content[place : min(place + _READ_BYTES, self._stop)]
                place += len(tail)
                if not tail or unpacker.eof:
                    raise ValueError(f"{self._path} is cut off or damaged; copy or write it again.")
            try:
                part = unpacker.decompress(tail, wanted)
            except zlib.error as error:
                raise ValueError(
                    f"{self._path} is damaged ({error}); copy or write it again."
                ) from None
            tail = unpacker.unconsumed_tail
            if not part and unpacker.eof:
                raise ValueError(f"{self._path} is cut off or damaged; copy or write it again.")
            parts.append(part)
            wanted -= len(part)
        piece = b"".join(parts)
        if self._crc is not None and number == self._checked:
            self._sum = zlib.crc32(piece, self._sum)
            self._checked += 1
            if self._checked == self._count and self._sum != self._crc:
                raise ValueError(
                    f"{self._path} is damaged: its checksum is not that of its content; copy or "
                    "write it again."
                )
        return piece, (unpacker, place, tail)


_STREAMS: HandleCache[Stream] = HandleCache(4)


@dataclass(frozen=True)
class PackedSource:
    """An array inside a deflated stream, in NumPy's order.

    Attributes
    ----------
    path : str
        The file.
    shape : tuple of int
        Shape of the array.
    element : str
        Type of an element in NumPy's notation.
    span : tuple of int
        Start and stop of the stream in the file.
    offset : int
        Where the elements begin in what the stream becomes.
    wbits : int
        15 for a stream with zlib's header, -15 for one without.
    crc : int, optional
        CRC-32 of what it becomes, where it ends with the array.
    """

    path: str
    shape: tuple[int, ...]
    element: str
    span: tuple[int, int]
    offset: int
    wbits: int
    crc: int | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """As many along the first axis as a piece of the stream holds."""
        row = math.prod(self.shape[1:]) * self.dtype.itemsize
        return (max(1, min(self.shape[0], PIECE_BYTES // max(1, row))), *self.shape[1:])

    @property
    def paths(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def read(self, region: Region) -> Array:
        """Elements of a region; what lies between them is unpacked and let go.

        Raises
        ------
        ValueError
            Where the stream is damaged.
        """
        shape = tuple(len(range(*p.indices(n))) for p, n in zip(region, self.shape, strict=True))
        out = np.empty(shape, self.dtype)
        if out.size:
            stream = _STREAMS.get(self.path, (self.span, self.wbits), self._stream)
            self._fill(stream, out, region, 0, self.offset)
        return out

    def _fill(self, stream: Stream, out: Array, region: Region, axis: int, place: int) -> None:
        """Fill `out` with what lies from `place` on, an axis at a time while it is too much."""
        strides = strides_of(self.shape, self.dtype.itemsize)
        part, step = region[axis], strides[axis]
        first, last = part.start, part.start + (out.shape[0] - 1) * (part.step or 1)
        begin, end = place + first * step, place + (last + 1) * step
        if axis + 1 == len(self.shape) or end - begin <= PIECE_BYTES:
            block = np.frombuffer(stream.read(begin, end), self.dtype)
            block = block.reshape(last - first + 1, *self.shape[axis + 1 :])
            out[...] = block[(slice(None, None, part.step), *region[axis + 1 :])]
            return
        for row in range(out.shape[0]):
            number = first + row * (part.step or 1)
            self._fill(stream, out[row], region, axis + 1, place + number * step)

    def _stream(self) -> Stream:
        size = self.offset + math.prod(self.shape) * self.dtype.itemsize
        return Stream(self.path, *self.span, self.wbits, size, self.crc)


def check_claim(path: str, what: str, claimed: int, held: int) -> None:
    """Refuse a deflated array that claims more bytes than its stream can become.

    Raises
    ------
    ValueError
        Where it does.
    """
    if claimed > held * _MOST_INFLATED:
        raise ValueError(
            f"{path} claims {claimed:,} bytes for {what}, but the {held:,} that it holds for it "
            "can't become as many; copy or write it again."
        )
