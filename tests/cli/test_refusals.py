from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.calling import REFERENCES, CallCli
from tests.helpers.recipes import write_frames

import napari_framewise as fw
from napari_framewise.stacks.source import Array


def bad_files() -> None:
    np.save("complex.npy", np.ones((4, 12, 10), complex))
    np.save("empty.npy", np.ones((0, 12, 10)))
    np.save("small.npy", np.ones((4, 5, 5)))
    np.save("line.npy", np.ones(12))
    np.save("nan.npy", np.full((4, 12, 10), np.nan))
    np.save("objects.npy", np.array([{}, {}], object))
    Path("broken.tif").write_bytes(b"II*\0nothing more")
    Path("text.txt").write_text("not an image")
    Path("bad.json").write_text("{")
    Path("old.json").write_text('{"schema_version": 0, "steps": []}')
    Path("out.csv").touch()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("mixing gone.npy -R", "There is no file or folder"),
        ("mixing s.npy --references a.tif gone.tif", "There is no file or folder"),
        ("mixing s.npy -R --mask gone.tif", "There is no file or folder"),
        ("mixing complex.npy -R", "complex numbers"),
        ("mixing empty.npy -R", "no pixels|is empty"),
        ("mixing line.npy -R", "but line has frames of 12; they must have the same shape"),
        ("mixing small.npy -R", "frames of 12 x 10 pixels, but small has frames of 5 x 5"),
        ("mixing objects.npy -R", "objects"),
        ("mixing broken.tif -R", r"broken\.tif"),
        ("mixing text.txt -R", r"text\.txt"),
        ("mixing s.npy --references nan.npy@0 b.tif", "lacks data|no finite"),
        ("mixing s.npy --references a.tif", r"--references: 1 .* separately \(--several-frames\)"),
        (
            "mixing s.npy --reference a.tif",
            r"--reference \(did you mean --references\?\)",
        ),
        ("mixing s.npy --references a.tif a.tif", "cannot be told apart"),
        ("mixing s.npy -R --lowest 0.7 --highest 0.3", "lower bound"),
        ("mixing s.npy -R --lowest -0.5 --highest -1", "lower bound"),
        (
            "mixing s.npy -R --read-noise -1",
            "--read-noise was given -1.0; it should be",
        ),
        (
            "mixing s.npy -R --read-noise much",
            "--read-noise was given 'much'; it should",
        ),
        ("mixing s.npy -R --constraint tight", "invalid choice: 'tight' .*'sum_to_one'"),
        ("mixing s.npy -R --loudness 3", "there is no option --loudness"),
        (
            "mixing s.npy -R --refer a.tif",
            r"mean --references\?\); see .* mixing --help",
        ),
        ("mixing s.npy -R --frames 5-9", "'5-9' are no frames; write a number from 0, or START"),
        ("mixing s.npy -R --frames 30:", "frames from 30 on were asked for, but it has 30 frames"),
        ("mixing s.npy -R --frames 5:900", "--frames was given '5:900', but s.npy has 30 frames"),
        ("mixing s.npy@5:900 -R", "frames 5:900 were asked for, but s.npy has 30 frames"),
        ("mixing s.npy -R --mask a.tif@0:2", "frames 0:2 were asked for, but a.tif has 1 frame,"),
        ("mixing s.npy -R --regoin 0:9,0:9", r"\(did you mean --region\?\)"),
        ("statistic s.npy", r"no command 'statistic' \(did you mean statistics\?\)"),
        ("normalise s.npy --region 0,5,0,5", "--region was given '0,5,0,5'; write rows"),
        ("normalise s.npy --measured-region 1,2", "four"),
        ("mixing s.npy -R --frames 9:3", "frames 9 to 3 in steps of 1 were asked for"),
        ("mixing s.npy@31 -R", "frames from 31 on were asked for"),
        ("mixing s.npy -R --channel 1", "channel 1 was asked for, but it has no channels"),
        ("mixing s.npy -R --channel one", "invalid int value: 'one'"),
        ("mixing s.npy -R --region 0:9", "--region was given '0:9'; write rows and columns"),
        (
            "mixing s.npy -R --region 0:90,0:9",
            "region of rows 0 to 90 and columns 0 to 9 does not lie inside a frame of 12 x 10 pix",
        ),
        ("bleaching s.npy --mask small.npy@0", "s.npy: --mask: small.npy holds"),
        ("bleaching nan.npy", "The reference frame 0 of nan holds no data to measure"),
        ("deconvolution s.npy", r"give one as an image \(--psf\) or as a model \(--psf-model\)"),
        ("calibration s.npy", r"give one number with each frame \(--images-value\)"),
        ("rank line.npy", "The frames have one axis; planes or volumes are needed"),
        ("local_statistics line.npy", "The frames have one axis; planes or volumes are needed"),
        ("speckle line.npy", "The frames have one axis; planes or volumes are needed"),
        ("mixing s.npy -R --frames-along z", "--frames-along was given 'z', but the axes of"),
        ("mixing s.npy -R --frames-along 7", "name each axis once|has the axes"),
        ("mixing s.npy -R -o out.csv", r"out\.csv is there already; choose another, or overwrite"),
        ("mixing s.npy -R -o out.npz", r"out\.npz asks for a model, but the tool gives none"),
        (
            "mixing s.npy -R -o text.txt",
            r"text\.txt is there already",
        ),
        ("mixing s.npy -R -o a.tif/out", "can't be written: Not a directory"),
        ("mixing s.npy -R --workers 0", "--workers was given 0; it takes 1 or more"),
        ("mixing s.npy -R --workers 2 --cluster tcp://x:1", "a cluster has its own workers"),
        ("mixing", "the following arguments are required: STACK"),
        ("shifts s.npy", "the following arguments are required: --reference"),
        ("mixing sample:moon -R", "There is no sample 'moon'; the samples are: two_references"),
        ("knitting s.npy", "there is no command 'knitting'"),
        ("", "the following arguments are required: COMMAND"),
        ("run gone.json", r"There is no recipe gone\.json"),
        ("run bad.json", r"bad\.json can't be read as a recipe"),
        ("run old.json", r"old\.json is a recipe of schema version 0"),
        ("run", "the following arguments are required: RECIPE"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    call: CallCli, mixture: tuple[Array, Array], arguments: str, sentence: str
) -> None:
    bad_files()
    words = arguments.replace("-R", " ".join(REFERENCES)).split()
    before = set(Path().rglob("*"))
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.startswith("napari-framewise: ")
    assert err.count("\n") == 1
    assert re.search(sentence, err), err
    assert set(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["statistics", "s.npy", "-o", 300 * "a"], "can't be written: File name too long; choose"),
        (["statistics", "s.npy", "-o", f"out/{300 * 'a'}.csv"], "has a name that is too long for"),
        (["statistics", 300 * "a"], "has a name that is too long for the disk"),
        (["statistics", "s.npy", "--save-recipe", 300 * "a"], "has a name that is too long for"),
        (["run", 300 * "a"], "has a name that is too long for the disk"),
        (["statistics", ""], "An input has no name; give a file, a folder or a sample"),
        (["statistics", "s.npy", "-o", ""], "--output was given without a name; give a folder"),
    ],
)
def test_names_that_no_disk_takes(call: CallCli, words: list[str], sentence: str) -> None:
    write_frames(Path("s.npy"))
    code, _, err = call(*words)
    assert code == 2
    assert sentence in err
    assert "Errno" not in err


def test_all_is_a_hundred_percent(call: CallCli) -> None:
    bad_files()
    _, out, err = call("fill", "nan.npy")
    assert (err, "Of frame 0 100 % was missing." in out) == ("", True)
    np.save("flat.npy", np.full((2, 12, 10), 7.0))
    _, out, err = call("speckle", "flat.npy")
    assert (err, "No speckle: the flattest parts do not vary" in out) == ("", True)


def test_frames_without_data_are_noted(call: CallCli, mixture: tuple[Array, Array]) -> None:
    bad_files()
    code, out, err = call("mixing", "nan.npy", *REFERENCES, "-o", "nan.csv")
    assert (code, err) == (0, "")
    assert "note: 4 frames held no data." in out
    assert np.isnan(fw.read_table("nan.csv")["x1"]).all()


def test_a_defect_is_told_from_a_bad_input(call: CallCli) -> None:
    write_frames(Path("s.npy"))
    code, _, err = call("everything", "s.npy", "--crash")
    assert code == 2
    assert err.splitlines() == [
        "napari-framewise: s.npy: ZeroDivisionError: crashed",
        "napari-framewise: that is a defect; --traceback shows what to report",
    ]
    code, _, err = call("everything", "s.npy", "--crash", "--traceback")
    assert code == 2
    assert 'raise ZeroDivisionError("crashed")' in err


def test_no_error_says_its_file_or_a_sentence_twice(call: CallCli) -> None:
    write_frames(Path("s.npy"))
    _, _, err = call("statistics", "gone.npy")
    assert err.count("gone.npy") == 1
    _, _, err = call("normalise", "s.npy", "--measured-region", "a,a,a,a")
    assert err.count("was given 'a'") == 1
    assert "--measured-region was given 'a'" in err


def test_region_means_the_part_of_the_frames_in_every_tool(call: CallCli) -> None:
    write_frames(Path("s.npy"))
    for tool in ("normalise", "standardise", "statistics"):
        code, _, err = call(tool, "s.npy", "--region", "0:4,1:6", "-o", f"{tool}-out")
        assert code == 0, err
    (table,) = Path("statistics-out").glob("*-images.csv")
    assert set(fw.read_table(table)["pixels"]) == {20}


def test_a_disk_that_is_full_before_anything_is_written_is_told_in_a_sentence(
    call: CallCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    np.save("film.npy", np.random.default_rng(0).normal(size=(4, 12, 10)))
    monkeypatch.setattr("napari_framewise.io.runs.journal.os.fsync", full)
    code, _, err = call("statistics", "film.npy", "-o", "out")
    assert code == 2
    assert "out can't be written: the disk is full; make room" in err
    assert "Errno" not in err


def test_a_recipe_that_can_not_be_saved_is_told_in_a_sentence(
    call: CallCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    np.save("film.npy", np.random.default_rng(0).normal(size=(4, 12, 10)))
    monkeypatch.setattr("napari_framewise.cli.commands.save_recipe", full)
    code, _, err = call("statistics", "film.npy", "--save-recipe", "kept.json")
    assert code == 2
    assert "kept.json can't be written: the disk is full" in err
