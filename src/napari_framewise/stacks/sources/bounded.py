"""Decoders that never make more bytes of a chunk than its array says that it holds."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from typing import Any, Protocol, runtime_checkable

_ZSTD_MAGIC = 0xFD2FB528
_ZSTD_BLOCK = 2**17
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_SLACK = 1024


@runtime_checkable
class Codec(Protocol):
    """What numcodecs calls a codec."""

    codec_id: str

    def encode(self, buf: Any) -> Any:
        """Encode bytes."""
        ...

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode bytes."""
        ...

    def get_config(self) -> dict[str, Any]:
        """Its parameters as plain values."""
        ...


class BoundedCodec:
    """A codec of numcodecs that refuses chunks of more bytes than `most`.

    Parameters
    ----------
    codec : Codec
        Which one.
    most : int
        Bytes that a chunk can have.
    """

    def __init__(self, codec: Codec, most: int) -> None:
        self._codec, self._most = codec, most + _SLACK
        self.codec_id = codec.codec_id

    def encode(self, buf: Any) -> Any:
        """Encode bytes, as the codec itself does."""
        return self._codec.encode(buf)

    def get_config(self) -> dict[str, Any]:
        """Parameters of the codec."""
        return self._codec.get_config()

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode bytes.

        Raises
        ------
        ValueError
            Where they become more than a chunk has; no memory was taken for them then.
        """
        name = self.codec_id.rpartition(".")[2].lower()
        if out is None and name in ("gzip", "zlib", "bz2", "lzma"):
            return self._streamed(name, bytes(buf))
        if claimed_bytes(name, buf) > self._most:
            raise self._too_much()
        return self._codec.decode(buf, out)

    def _streamed(self, name: str, data: bytes) -> bytes:
        parts: list[bytes] = []
        left = self._most
        while data:
            unpacker = self._unpacker(name)
            part = unpacker.decompress(data, left + 1)
            left -= len(part)
            if left < 0:
                raise self._too_much()
            if not unpacker.eof:
                raise ValueError("it is cut off")
            parts.append(part)
            # gzip, bz2 and xz may be several streams, one behind the other, padded with zeros.
            data = b"" if name == "zlib" else unpacker.unused_data.lstrip(b"\0")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _unpacker(self, name: str) -> Any:
        if name == "bz2":
            return bz2.BZ2Decompressor()
        if name == "lzma":
            form = int(getattr(self._codec, "format", lzma.FORMAT_XZ))
            raw = form == lzma.FORMAT_RAW
            filters = getattr(self._codec, "filters", None) if raw else None
            return lzma.LZMADecompressor(form if raw else lzma.FORMAT_AUTO, filters=filters)
        return zlib.decompressobj(zlib.MAX_WBITS | (16 if name == "gzip" else 0))

    def _too_much(self) -> ValueError:
        return ValueError("it becomes more bytes than a chunk of the array has")


def claimed_bytes(name: str, data: Any) -> int:
    """Bytes that a chunk becomes by its own header; 0 where it says nothing.

    Parameters
    ----------
    name : str
        Of the codec: blosc, lz4 or zstd.
    data : bytes-like
        The chunk.
    """
    view = memoryview(data).cast("B")
    if name == "blosc" and len(view) >= 16:
        return int(struct.unpack_from("<I", view, 4)[0])
    if name == "lz4" and len(view) >= 4:
        return int(struct.unpack_from("<I", view, 0)[0])
    return _zstd_bytes(view) if name == "zstd" else 0


def _zstd_bytes(view: memoryview) -> int:
    """Bytes that frames of zstd become, by their headers and those of their blocks (RFC 8878)."""
    total = place = 0
    while place + 6 <= len(view):
        (magic,) = struct.unpack_from("<I", view, place)
        if magic in _SKIPPABLE:
            place += 8 + int(struct.unpack_from("<I", view, place + 4)[0])
            continue
        if magic != _ZSTD_MAGIC:
            break
        flags = view[place + 4]
        single = bool(flags & 0x20)
        size_bytes = (1 if single else 0, 2, 4, 8)[flags >> 6]
        dictionary_bytes = (0, 1, 2, 4)[flags & 3]
        place += 5 + (not single) + dictionary_bytes
        stated = int.from_bytes(view[place : place + size_bytes], "little")
        stated += 256 if size_bytes == 2 else 0
        place += size_bytes
        blocks, last = 0, False
        while not last and place + 3 <= len(view):
            header = int.from_bytes(view[place : place + 3], "little")
            last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
            blocks += _ZSTD_BLOCK if kind == 2 else size
            place += 3 + (1 if kind == 1 else size)
        place += 4 if flags & 4 else 0
        # The stated size is what memory is taken for; without it, block after block.
        total += stated if size_bytes else max(0, blocks - _ZSTD_BLOCK)
    return total
