"""Numbers with images and frames, regions, tools without inputs: on every way but the panel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers.takers import add_takers
from tests.helpers.toolbox import Translation

import napari_framewise as fw
from napari_framewise.cli import main
from napari_framewise.framework.model import Space
from napari_framewise.framework.valued import InputValue
from napari_framewise.io.recipes.naming import parse_input
from napari_framewise.io.recipes.numbers import number_in, numbers_of

ASKED = InputValue("Temperature", "K")


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_takers(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for number, temperature in enumerate((280, 300, 310.5)):
        np.save(f"T{temperature}K_{number}.npy", np.full((5, 6), 3 + 2.0 * temperature))
    np.save("film.npy", np.arange(4.0)[:, None, None] + np.zeros((4, 8, 9)))


FILES = ["T280K_0.npy", "T300K_1.npy", "T310.5K_2.npy"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


@pytest.mark.parametrize(
    "arguments",
    [
        [f"{name}={value}" for name, value in zip(FILES, ("280", "3e2", "310.5"), strict=True)],
        [*FILES, "--images-temperature", "280, 300,310.5"],
        [*FILES, "--images-temperature", "T{}K"],
        [*FILES, "--images-temperature", "rows.csv"],
        [*FILES, "--images-temperature", "named.csv:kelvin"],
    ],
)
def test_each_image_has_its_number(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    Path("rows.csv").write_text("index,temperature\n0,280\n1,300\n2,310.5\n")
    lines = [f"{name},{kelvin},1" for name, kelvin in zip(FILES, (280, 300, 310.5), strict=True)]
    Path("named.csv").write_text("\n".join(["file,kelvin,other", *lines[::-1]]))
    first = said(capsys, "calibrate", *arguments, "-o", "out")
    assert "3 + 2 T" in first
    recipe = next(Path("out").glob("*.recipe.json"))
    again = said(capsys, "run", str(recipe))
    assert "3 + 2 T" in again
    loaded = fw.load_recipe(recipe)
    assert [ref.values for ref in loaded.steps[0].inputs["images"]] == [(280,), (300,), (310.5,)]
    assert "fw.valued(images_2, 300.0)" in fw.to_python(loaded)


def test_a_number_is_missing_or_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", *FILES]) == 2
    assert "Images: the temperature of T280K_0.npy is missing" in capsys.readouterr().err
    assert main(["statistics", f"{FILES[0]}=20"]) == 2
    assert "a number was given, but none is asked for" in capsys.readouterr().err
    assert main(["calibrate", *FILES, "--images-temperature", "1,2"]) == 2
    assert "3 images were given, and 2 numbers" in capsys.readouterr().err
    assert main(["calibrate", *FILES, "--images-temperature", "warm"]) == 2
    assert "Temperature was given 'warm'; write numbers such as" in capsys.readouterr().err


@pytest.mark.parametrize("times", ["0,0.5,1,4", "times.csv:t"])
def test_each_frame_has_its_number(capsys: pytest.CaptureFixture[str], times: str) -> None:
    Path("times.csv").write_text("frame,t,other\n0,0,9\n1,0.5,9\n2,1,9\n3,4,9\n")
    said(capsys, "decay", "film.npy", "--stack-time", times, "--frames", "1:4:2", "-o", "out")
    table = fw.read_table(next(Path("out").glob("*decay*.csv")))
    np.testing.assert_array_equal(table["time"], [0.5, 4])
    np.testing.assert_array_equal(table["frame"], [1, 3])
    np.save("other.npy", np.zeros((4, 8, 9)))
    np.save("short.npy", np.zeros((3, 8, 9)))
    recipe = str(next(Path("out").glob("*.recipe.json")))
    said(capsys, "run", recipe, "other.npy", "-o", "more")
    assert main(["run", recipe, "short.npy"]) == 2
    assert "was given 4 numbers as time, but it has 3 frames" in capsys.readouterr().err


def test_a_folder_has_numbers_in_its_files_names(capsys: pytest.CaptureFixture[str]) -> None:
    import tifffile

    Path("series").mkdir()
    for number, seconds in enumerate((5, 7.5, 20)):
        tifffile.imwrite(f"series/{number}_t={seconds}s.tif", np.zeros((8, 9), np.uint8))
    said(capsys, "decay", "series", "--stack-time", "_t={}s", "-o", "out")
    table = fw.read_table(next(Path("out").glob("*decay*.csv")))
    np.testing.assert_array_equal(table["time"], [5, 7.5, 20])


def test_from_python_numbers_go_with_arrays() -> None:
    images = [fw.valued(np.full((5, 6), 2.0 * t), t) for t in (1, 2, 3)]
    outcome = fw.run("calibrate", images=images)
    assert outcome.table("calibration").columns["temperature"].tolist() == [1, 2, 3]
    film = fw.valued(np.zeros((3, 8, 9)), 0, 1, 5)
    assert fw.run("decay", stack=film).table("decay").columns["time"].tolist() == [0, 1, 5]
    with pytest.raises(ValueError, match="was given 2 numbers as time, but it has 3 frames"):
        fw.run("decay", stack=fw.valued(np.zeros((3, 8, 9)), 0, 1))
    with pytest.raises(ValueError, match="of stack is not finite"):
        fw.run("decay", stack=fw.valued(np.zeros((2, 8, 9)), 0, np.nan))


def test_regions_are_drawn_shapes_or_labels(capsys: pytest.CaptureFixture[str]) -> None:
    Path("regions.csv").write_text(
        "index,shape-type,vertex-index,axis-0,axis-1\n"
        "0,rectangle,0,1,1\n0,rectangle,1,1,3\n0,rectangle,2,3,3\n0,rectangle,3,3,1\n"
        "1,path,0,5,0\n1,path,1,5,8\n"
    )
    labels = np.zeros((8, 9), np.uint8)
    labels[2:4, 2:5] = 3
    np.save("labels.npy", labels)
    for given, columns in (("regions.csv", ["region 1", "region 2"]), ("labels.npy", ["region 3"])):
        out = f"of {Path(given).stem}"
        said(capsys, "decay", "film.npy", "--stack-time", "0,1,2,3", "--regions", given, "-o", out)
        table = fw.read_table(next(Path(out).glob("*decay*.csv")))
        assert [name for name in table if name.startswith("region")] == columns
        np.testing.assert_array_equal(table[columns[0]], [0, 1, 2, 3])
        again = next(Path(out).glob("*.recipe.json"))
        said(capsys, "run", str(again), "-o", f"again {Path(given).stem}")
        assert f"{given!r}" in fw.to_python(fw.load_recipe(again)) or given in again.read_text()
        compile(fw.to_python(fw.load_recipe(again)), "script", "exec")
    # The same shapes are a mask of any tool.
    masked = said(capsys, "statistics", "film.npy", "--mask", "regions.csv", "-o", "stats")
    assert masked


def test_a_role_takes_a_model_or_an_image(capsys: pytest.CaptureFixture[str]) -> None:
    space = Space("a", (8, 9), (1.0, 1.0), ("pixel", "pixel"))
    fw.write_model(Translation(space, space, np.zeros((1, 2))), "shift.npz")
    np.save("psf.npy", np.ones((3, 3)))
    np.savez("plain.npz", psf=np.ones((3, 3)))
    for given, kind in (("shift.npz", "Translation"), ("psf.npy", "Stack"), ("plain.npz", "Stack")):
        text = said(capsys, "decay", "film.npy", "--stack-time", "0,1,2,3", "--blur", given)
        assert f"{kind}, 0 nodes" in text


def test_a_tool_without_inputs_runs_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "ramp", "--rows", "5", "--columns", "7", "--frames", "2", "--pixel-size",
               "0.5", "--pixel-unit", "um", "-o", "made", "--image-format", "tif")  # fmt: skip
    assert "A ramp." in out
    stack = fw.open_stack(next(Path("made").glob("*.tif")))
    assert stack.shape == (2, 5, 7)
    assert stack.grid.units == ("micrometer", "micrometer")
    recipe = next(Path("made").glob("*.recipe.json"))
    said(capsys, "run", str(recipe), "-o", "again", "--image-format", "tif")
    assert main(["run", str(recipe), "film.npy"]) == 2
    assert "Ramp takes no inputs" in capsys.readouterr().err
    assert fw.run("ramp", rows=3, columns=4).layer("ramp").data.shape == (3, 4)
    with pytest.raises(SystemExit):
        main(["ramp", "--help"])
    assert "--pixel-size" in capsys.readouterr().out
    batch = fw.run_recipe(str(recipe))
    assert len(batch.runs) == 1
    assert not batch.failed


# -- texts -----------------------------------------------------------------------------------------


def test_a_text_with_a_number_behind_it(tmp_path: Path) -> None:
    ref = parse_input("a.tif@3:9=2.5e-3")
    assert (ref.values, ref.selection.frames) == ((2.5e-3,), (3, 9, 1))
    assert parse_input("a=b.tif").values is None
    Path("x=20").write_text("")
    assert parse_input("x=20").values is None


@pytest.mark.parametrize(
    ("name", "pattern", "number"),
    [
        ("folder 7/T12.5K.tif", "T{}K", 12.5),
        ("a_-3_deg.tif", "a_{}_deg", -3),
        ("run12_1e-3mM.tif", "*_{}mM", 1e-3),
        ("x(5).tif", "({})", 5),
    ],
)
def test_numbers_in_names(name: str, pattern: str, number: float) -> None:
    assert number_in(name, pattern, ASKED) == number


def test_names_and_tables_that_do_not_fit_are_said() -> None:
    with pytest.raises(ValueError, match=r"the name 'cold\.tif' does not hold 'T\{}K'"):
        number_in("cold.tif", "T{}K", ASKED)
    Path("two.csv").write_text("file,a,b\nx.tif,1,2\n")
    with pytest.raises(ValueError, match=r"two.csv has the columns file, a, b; name the one"):
        numbers_of("two.csv", ["x.tif"], ASKED)
    assert numbers_of("two.csv:b", ["dir/X.TIF"], ASKED) == (2,)
    with pytest.raises(ValueError, match=r"two.csv has no row for y.tif"):
        numbers_of("two.csv:b", ["y.tif"], ASKED)
