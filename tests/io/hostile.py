"""Files that claim what they don't hold, each opened in a process of its own with little memory.

A script: ``python -m tests.io.hostile FOLDER`` makes the files, opens each, reads a frame where
that works, and prints as JSON what it said and how long it took.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
import zarr
from numcodecs import Zlib
from PIL import Image

from napari_framewise.io import open_stack
from napari_framewise.io.formats.models import read_model
from napari_framewise.io.formats.tables import read_table
from napari_framewise.io.recipes.files import load_recipe

SECONDS = 8
MORE_BYTES = 128 * 2**20
FRAMES = np.arange(3 * 16 * 12, dtype=np.uint16).reshape(3, 16, 12)
Maker = Callable[[Path], Any]


def npy_header(shape: str, version: int = 1) -> bytes:
    text = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (64 - (len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text


def npz(path: Path, header: bytes, content: bytes = b"") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header + content)


def npz_without_beginning(path: Path) -> None:
    """Its index places the member before the first byte of the file."""
    np.savez_compressed(path, x=FRAMES)
    path.write_bytes(path.read_bytes()[17:] + bytes(40))


def large_npz(path: Path) -> None:
    """256 MiB of zeros in 1 MB; its first frame must not take all of it."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        file.write(npy_header("(256, 512, 1024)"))
        for _ in range(16):
            file.write(bytes(2**24))


def tiff(entries: dict[int, tuple[int, int, int]], after: int = 0, rest: bytes = b"") -> bytes:
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, (kind, count, value) in sorted(entries.items()):
        head += struct.pack("<HHII", tag, kind, count, value)
    return head + struct.pack("<I", after) + rest


def page(width: int, height: int, compression: int = 1, **more: Any) -> dict[Any, Any]:
    entries = {
        256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, compression),
        262: (3, 1, 1), 273: (4, 1, 200), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, 16),
    }  # fmt: skip
    return entries | {int(tag[1:]): value for tag, value in more.items()}


def ome(path: Path, pixels: str, inner: str = '<TiffData IFD="0" PlaneCount="1"/>') -> None:
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="4" '
        f'SizeY="4" {pixels}>{inner}</Pixels></Image></OME>'
    )
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), description=xml, metadata=None)


def bomb_xml(path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    xml = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY e0 "x">{entities}]><OME>&e11;</OME>'
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), description=xml, metadata=None)


def virtual(path: Path, source: str, name: str = "x", target: str | None = None) -> None:
    layout = h5py.VirtualLayout((3, 16, 12), "u2")
    layout[:] = h5py.VirtualSource(source, target or name, (3, 16, 12))
    with h5py.File(path, "w", libver="latest") as file:
        file.create_virtual_dataset(name, layout)


def virtual_ring(path: Path) -> None:
    other = path.with_name(f"other-{path.name}")
    virtual(path, other.name)
    virtual(other, path.name)


def virtual_tower(path: Path) -> None:
    """Each of 30 virtual datasets is made of the next one, ten times over."""
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(30):
            layout = h5py.VirtualLayout((10, 4, 4), "u2")
            for part in range(10):
                layout[part] = h5py.VirtualSource(".", f"v{number + 1}", (10, 4, 4))[part]
            file.create_virtual_dataset(f"v{number}", layout)
        file["v30"] = np.zeros((10, 4, 4), "u2")


def linked(path: Path, link: Any) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = link


def to_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".pipe"))
    linked(path, h5py.ExternalLink(path.with_suffix(".pipe").name, "/x"))


def huge_chunked(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (2**40, 2**30, 2**30), "u1", chunks=(1, 64, 64))


def hdf5_bomb(path: Path) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset("x", (2, 64, 64), "u2", chunks=(1, 64, 64), compression="gzip")
        data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(2**28), 1))


def mat5(path: Path, dims: tuple[int, ...], size: int) -> None:
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM"
    body = struct.pack("<IIII", 6, 8, 9, 0)
    body += struct.pack("<II", 5, 4 * len(dims)) + struct.pack(f"<{len(dims)}i", *dims)
    body += b"\0" * (-4 * len(dims) % 8) + struct.pack("<II", 1, 1) + b"x".ljust(8, b"\0")
    body += struct.pack("<II", 2, size) + bytes(64)
    matrix = struct.pack("<II", 14, len(body)) + body
    packed = zlib.compress(matrix)
    path.write_bytes(head + struct.pack("<II", 15, len(packed)) + packed)


def zarr_of(path: Path, **changes: Any) -> None:
    zarr.create_array(path, data=FRAMES, chunks=(1, 16, 12), zarr_format=2, compressors=Zlib())
    described = json.loads((path / ".zarray").read_text())
    (path / ".zarray").write_text(json.dumps(described | changes))


def zarr_bomb(path: Path) -> None:
    zarr_of(path)
    for chunk in path.glob("[0-9]*"):
        chunk.write_bytes(zlib.compress(bytes(2**28), 1))


def zarr_pipe(path: Path) -> None:
    zarr_of(path)
    for chunk in path.glob("[0-9]*"):
        chunk.unlink()
        os.mkfifo(chunk)


def zarr_metadata_pipe(path: Path) -> None:
    zarr_of(path)
    os.mkfifo(path / "zarr.json")


def zarr_link(path: Path) -> None:
    zarr.create_group(path, zarr_format=2)
    (path / ".zgroup").unlink()
    (path / ".zgroup").symlink_to(".zgroup")


def zarr_deep(path: Path) -> None:
    path.mkdir()
    (path / "zarr.json").write_text('{"attributes": ' + "[" * 100_000)


def zarr_loop(path: Path) -> None:
    group = zarr.create_group(path, zarr_format=2)
    group.create_array("x", data=FRAMES)
    (path / "again").symlink_to(".")


def link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def gif(path: Path, size: int, frames: int) -> None:
    head = b"GIF89a" + struct.pack("<HHBBB", size, size, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    path.write_bytes(head + frame * frames + b";")


def png(path: Path, width: int, height: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def overlapping(path: Path) -> None:
    """Directories that lie in each other, each with very many entries."""
    content = bytearray(400_000)
    content[:8] = b"II*\0" + struct.pack("<I", 8)
    for place in range(8, 200_000, 14):
        struct.pack_into("<H", content, place, 14_000)
    path.write_bytes(content)


REFUSED: dict[str, Maker] = {
    "shape.npy": lambda path: path.write_bytes(npy_header("(1152921504606846976, 4)")),
    "negative.npy": lambda path: path.write_bytes(npy_header("(-4, 4, 4)") + bytes(99)),
    "brackets.npy": lambda path: path.write_bytes(npy_header("(" * 5000)),
    "pickled.npy": lambda path: np.save(path, np.array([{}], object), allow_pickle=True),
    "claims.npz": lambda path: npz(path, npy_header("(1152921504606846976, 4)")),
    "beginning.npz": npz_without_beginning,
    "wide.tif": lambda path: path.write_bytes(tiff(page(2**31 - 1, 2**31 - 1, 8), rest=bytes(200))),
    "plain.tif": lambda path: path.write_bytes(tiff(page(2**31 - 1, 2**31 - 1), rest=bytes(200))),
    "ring.tif": lambda path: path.write_bytes(tiff(page(4, 4), after=8, rest=bytes(200))),
    "tiles.tif": lambda path: path.write_bytes(
        tiff(
            page(4, 4, 8, t322=(4, 1, 2**31), t323=(4, 1, 2**31), t324=(4, 1, 200), t325=(4, 1, 9)),
            rest=bytes(200),
        )
    ),
    "overlapping.tif": overlapping,
    "coding.tif": lambda path: path.write_bytes(tiff(page(4, 4, 9999), rest=bytes(200))),
    "planes.ome.tif": lambda path: ome(path, 'SizeZ="1000000000" SizeC="1" SizeT="1"'),
    "channels.ome.tif": lambda path: ome(
        path, 'SizeZ="1" SizeC="100000" SizeT="100000"', '<TiffData PlaneCount="1000000000"/>'
    ),
    "itself.h5": lambda path: virtual(path, "."),
    "ring.h5": virtual_ring,
    "tower.h5": virtual_tower,
    "soft.h5": lambda path: linked(path, h5py.SoftLink("/x")),
    "nowhere.h5": lambda path: linked(path, h5py.ExternalLink("nothing.h5", "/x")),
    "pipe.h5": to_pipe,
    "dims.mat": lambda path: mat5(path, (2**31 - 1, 2**31 - 1), 64),
    "size.mat": lambda path: mat5(path, (2**16, 2**15 - 1), 2**31 - 2**16),
    "shape.zarr": lambda path: zarr_of(path, shape=[-3, 16, 12]),
    "deep.zarr": zarr_deep,
    "metadata-pipe.zarr": zarr_metadata_pipe,
    "link.zarr": zarr_link,
    "loop.npy": link_loop,
    "pipe.tif": os.mkfifo,
    "wide.png": lambda path: png(path, 2**31 - 1, 2**31 - 1),
    "wide.gif": lambda path: gif(path, 65535, 3),
}
"""Files that are refused when they are opened, or when the first frame is read."""

OPENED: dict[str, Maker] = {
    "large.npz": large_npz,
    "entities.ome.tif": bomb_xml,
    "huge.h5": huge_chunked,
    "loop.zarr": zarr_loop,
}
"""Files that open: what is wrong with them costs nothing."""

READ: dict[str, Maker] = {
    "bomb.zarr": zarr_bomb,
    "bomb.h5": hdf5_bomb,
    "pipe-chunk.zarr": zarr_pipe,
}
"""Files that open, and whose frames are refused."""


def recipe_of_brackets(path: Path) -> None:
    path.write_text("[" * 100_000)


OTHERS: dict[str, tuple[Maker, Callable[[Path], Any]]] = {
    "brackets.json": (recipe_of_brackets, load_recipe),
    "pipe.json": (os.mkfifo, load_recipe),
    "pipe.csv": (os.mkfifo, read_table),
    "pickled.npz": (
        lambda path: np.savez(path, header=np.array([{}], object), allow_pickle=True),
        read_model,
    ),
    "large-model.npz": (large_npz, read_model),
}
"""Recipes, tables and models that are refused."""


def first_frame(path: Path) -> None:
    stack = open_stack(path, key="v0" if path.name == "tower.h5" else None)
    if path.name != "huge.h5":
        stack.frame(0)


def tried(path: Path, call: Callable[[Path], Any]) -> dict[str, Any]:
    """What a process of its own says of a file."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MORE_BYTES, taken + MORE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(SECONDS)
        began, said = time.process_time(), ""
        try:
            call(path)
        except Exception as error:  # noqa: BLE001 - that is what is asked for
            said = f"{type(error).__name__}: {error}"
        os.write(into, json.dumps([said[:2000], time.process_time() - began]).encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        text = pipe.read()
    status = os.waitpid(child, 0)[1]
    said, seconds = json.loads(text) if text else ("", 0.0)
    return {"died": status, "said": said, "seconds": seconds}


def main(folder: Path) -> dict[str, dict[str, Any]]:
    """Make all files, then try each."""
    os.chdir(folder)
    for name, make in (REFUSED | OPENED | READ).items():
        make(folder / name)
    for name, (make, _) in OTHERS.items():
        if name != "large-model.npz":
            make(folder / name)
    (folder / "large-model.npz").symlink_to("large.npz")
    # What is imported once is no cost of a file.
    for name in ("warm.npy", "warm.tif", "warm.png"):
        path = folder / name
        if name == "warm.npy":
            np.save(path, FRAMES)
        elif name == "warm.tif":
            tifffile.imwrite(path, FRAMES)
        else:
            Image.fromarray(FRAMES[0].astype(np.uint8)).save(path)
        first_frame(path)
    found = {name: tried(folder / name, first_frame) for name in REFUSED | OPENED | READ}
    return found | {name: tried(folder / name, call) for name, (_, call) in OTHERS.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
