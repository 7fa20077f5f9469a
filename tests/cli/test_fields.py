"""Every kind of parameter on the command line and in the recipe that it writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.cli.calling import CallCli

import napari_framewise as fw


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.tif"
    frames = np.random.default_rng(1).integers(0, 255, (4, 12, 10)).astype(np.uint8)
    scale = {"axes": "TYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}
    units = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(path, frames, ome=True, metadata=scale | units)
    return path


def test_all_kinds_of_values_reach_the_tool_and_the_recipe(call: CallCli, film: Path) -> None:
    arguments = ("--sigma", "1um", "--measures", "mean,greatest", "--matrix", "1 0 0.5; 0 1 -1")
    code, out, err = call("asking", film, *arguments, "--limit", "200", "-o", "out")
    assert (code, err) == (0, "")
    assert "Sigma is 2, 4 pixels." in out
    recipe = json.loads(Path("out/film.recipe.json").read_text(encoding="utf-8"))
    assert recipe["steps"][0]["parameters"] == {
        "sigma": "1 µm",
        "measures": ["mean", "greatest"],
        "matrix": [[1, 0, 0.5], [0, 1, -1]],
        "fill": "constant",
        "value": 0,
        "limit": 200,
    }
    again = fw.run_recipe("out/film.recipe.json").runs[0].outcomes[0].table()
    here = fw.run(
        "asking",
        stack=fw.open_stack(film),
        sigma=(2, 4),
        measures=("mean", "greatest"),
        matrix=np.array([[1, 0, 0.5], [0, 1, -1]]),
        limit=200,
    ).table()
    for name, values in here.columns.items():
        np.testing.assert_array_equal(again.columns[name], values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sigma", "2 parsec"), "--sigma was given '2 parsec'; it should be one number"),
        (("--sigma", "-1"), "--sigma was given '-1 px'; it should be greater than or equal to 0."),
        (
            ("--measures", "mean,most"),
            "--measures was given 'most'; it should be 'mean', 'least' or",
        ),
        (("--matrix", "1 2; 3 4"), "--matrix was given '1 2; 3 4'; it should be 2 x 3 or 3 x 3"),
        (("--matrix", "1 0 0; 0 1 0", "--value", "-1"), "--value was given -1.0"),
    ],
)
def test_what_is_wrong_is_said(
    call: CallCli, film: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = call("asking", film, *arguments)
    assert code == 2
    assert message in err


def test_help_says_how_values_are_written_and_when_they_matter(call: CallCli) -> None:
    _, out, _ = call("asking", "--help")
    words = " ".join(out.split())
    assert "--sigma LENGTH" in words
    length = "such as 2px or 0.5um; or one number per axis: 2,1,1px; 0 or more; default: 1 px"
    assert length in words
    assert "2 x 3 or 3 x 3 numbers, a semicolon behind each row: '1 0 2; 0 1 3'" in words
    assert "0 or more; only with --fill constant; default: 0" in words
    assert "[only with --matrix; default: constant]" in words
    _, out, _ = call("mixing", "--help")
    assert "only with --detector-gain" in " ".join(out.split())


def test_a_folder_of_images_of_any_size_is_compared(call: CallCli) -> None:
    folder = Path("photographs")
    folder.mkdir()
    rng = np.random.default_rng(8)
    for number in range(5):
        image = rng.integers(0, 255, (12 + 2 * number, 20 - number)).astype(np.uint8)
        tifffile.imwrite(folder / f"p{number}.tif", image)
    code, out, err = call("likeness", folder, "-o", "out")
    assert (code, err) == (0, "")
    assert "5 images, 10 pairs." in out
    matrix = fw.open_stack("out/photographs-likeness.zarr").frame(0)
    np.testing.assert_array_equal(matrix, matrix.T)
    outcome = fw.run("likeness", images=fw.open_input(folder, "images"))
    np.testing.assert_array_equal(outcome.layer().data, matrix)
    again = fw.run_recipe("out/photographs.recipe.json").runs[0].outcomes[0]
    np.testing.assert_array_equal(again.layer().data, matrix)
