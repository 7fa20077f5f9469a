from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.framework.recipe import InputRef
from napari_framewise.io.recipes.naming import (
    OPEN_END,
    output_names,
    parse_frames,
    parse_input,
    text_of,
)


@pytest.mark.parametrize(
    ("text", "path", "key", "frames"),
    [
        ("a.tif", "a.tif", None, None),
        ("a.tif@7", "a.tif", None, (7, 8, 1)),
        ("a.tif@0:100", "a.tif", None, (0, 100, 1)),
        ("a.tif@:100", "a.tif", None, (0, 100, 1)),
        ("a.tif@5:", "a.tif", None, (5, OPEN_END, 1)),
        ("a.tif@::2", "a.tif", None, (0, OPEN_END, 2)),
        ("a.tif@1:9:3", "a.tif", None, (1, 9, 3)),
        ("d.h5::/entry/frames", "d.h5", "/entry/frames", None),
        ("d.h5::frames@2:4", "d.h5", "frames", (2, 4, 1)),
        ("me@home/a.tif", "me@home/a.tif", None, None),
        ("me@home/a.tif@3", "me@home/a.tif", None, (3, 4, 1)),
    ],
)
def test_files_frames_and_keys(
    text: str, path: str, key: str | None, frames: tuple[int, int, int] | None
) -> None:
    ref = parse_input(text)
    assert (ref.path, ref.key) == (os.path.abspath(path), key)
    assert ref.selection.frames == frames


@pytest.mark.parametrize("name", ["a@7", "a::b", "sample:a"])
def test_a_file_that_is_there_is_taken_as_it_stands(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    assert parse_input(path) == InputRef(path=str(path))


def test_samples_and_their_parts() -> None:
    assert parse_input("sample:sensor") == InputRef(sample="sensor")
    ref = parse_input("sample:sensor/reference 1@3")
    assert (ref.sample, ref.item, ref.selection.frames) == ("sensor", "reference 1", (3, 4, 1))


@pytest.mark.parametrize("text", ["a.tif@-1", "a.tif@1:2:3:4", "a.tif@1:-2", "a.tif@:"])
def test_frames_that_can_not_be_read_are_refused_or_all(text: str) -> None:
    if text.endswith("@:"):
        assert parse_input(text).selection.frames == (0, OPEN_END, 1)
        return
    with pytest.raises(ValueError, match=r"are no frames; write a number from 0, or START:STOP:ST"):
        parse_input(text)


@pytest.mark.parametrize("text", ["", "x", "1,2", "1-2", "--", "1.5"])
def test_what_are_no_frames(text: str) -> None:
    with pytest.raises(ValueError, match="are no frames"):
        parse_frames(text)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 9), st.integers(0, 200))
def test_frames_are_counted_as_python_slices(start: int, stop: int, step: int, count: int) -> None:
    texts = {f"{start}:{stop}:{step}": slice(start, stop, step), f"{start}:": slice(start, None)}
    for text, expected in texts.items():
        begin, end, stride = parse_frames(text)
        assert range(count)[begin:end:stride] == range(count)[expected]


@given(st.sampled_from(["a.tif", "b/a.h5"]), st.none() | st.just("/x/y"))
def test_a_place_is_read_as_it_is_written(path: str, key: str | None) -> None:
    ref = InputRef(path=os.path.abspath(path), key=key)
    assert parse_input(text_of(ref)) == ref
    sample = InputRef(sample="sensor", item="mask")
    assert parse_input(text_of(sample)) == sample


def names(*texts: str) -> tuple[str, ...]:
    return output_names([parse_input(text) for text in texts])


def test_outputs_are_named_after_their_inputs() -> None:
    assert names("day/cell.tif") == ("cell",)
    assert names("a.ome.tif", "b.tar.gz", ".hidden", "folder.zarr/") == (
        "a",
        "b.tar",
        "hidden",
        "folder",
    )
    assert names("sample:sensor", "sample:sensor/stack") == ("sensor", "sensor-stack")


def test_the_same_name_in_other_folders_is_told_apart() -> None:
    assert names("x/1/cell.tif", "x/2/cell.tif", "x/2/other.tif") == ("1-cell", "2-cell", "other")
    assert names("p/1/cell.tif", "q/1/cell.tif") == ("p-1-cell", "q-1-cell")
    assert names("Cell.tif", "other/cell.tif")[1] == "other-cell"


def test_the_same_input_twice_is_numbered() -> None:
    first, second, third = names("cell.tif", "cell.tif", "cell.npy")
    assert len({first, second, third}) == 3
    assert (second, third) == (f"{first}-2", f"{first}-3")
    assert names("d.h5::/a/frames", "d.h5::/b/frames") == ("d-a_frames", "d-b_frames")


@given(
    st.lists(
        st.lists(st.text("aA-1.", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join),
        min_size=1,
        max_size=8,
    )
)
def test_no_two_outputs_share_a_name(paths: list[str]) -> None:
    found = output_names([InputRef(path=os.path.abspath(f"/{path}")) for path in paths])
    assert len({name.casefold() for name in found}) == len(paths)
    assert not any(set(name) & set('<>:"/\\|?*') for name in found)
