from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import nnls

from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.unmixing import TOOL

BANDS, ROWS, COLUMNS = 12, 40, 30


@pytest.fixture(scope="module")
def spectra() -> np.ndarray:
    band = np.arange(BANDS)
    peaks = [100 + 900 * np.exp(-((band - centre) ** 2) / 8) for centre in (2, 6, 10)]
    return np.stack(peaks)


@pytest.fixture(scope="module")
def abundances() -> np.ndarray:
    parts = np.random.default_rng(2).dirichlet([0.5, 0.7, 1.0], (ROWS, COLUMNS))
    return np.moveaxis(parts, -1, 0)


@pytest.fixture(scope="module")
def cube(spectra: np.ndarray, abundances: np.ndarray) -> np.ndarray:
    clean = np.tensordot(spectra, abundances, axes=(0, 0))
    return clean + np.random.default_rng(3).normal(0, 5, clean.shape)


def unmixed(cube: Any, spectra: Any, **given: Any) -> Outcome:
    return run("unmixing", stack=cube, spectra=spectra, **given)


def maps(outcome: Outcome, name: str) -> np.ndarray:
    layer = outcome.layer(f"{name} of stack")
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


def test_the_truth_comes_back(
    cube: np.ndarray, spectra: np.ndarray, abundances: np.ndarray
) -> None:
    outcome = unmixed(cube, spectra, constraint="fully_constrained")
    found = maps(outcome, "abundances")
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)
    assert found.min() >= 0
    assert np.sqrt(np.mean((found - abundances) ** 2)) < 0.01
    table = outcome.table()
    assert table.columns["mean"] == pytest.approx(abundances.mean(axis=(1, 2)), abs=2e-3)


def test_non_negative_is_what_scipy_finds(cube: np.ndarray, spectra: np.ndarray) -> None:
    found = maps(unmixed(cube, spectra, constraint="non_negative"), "abundances")
    for row, column in ((0, 0), (3, 17), (39, 29), (20, 4)):
        expected, _ = nnls(spectra.T, cube[:, row, column])
        np.testing.assert_allclose(found[:, row, column], expected, atol=1e-7)


def test_without_constraints_it_is_least_squares(cube: np.ndarray, spectra: np.ndarray) -> None:
    outcome = unmixed(cube, spectra, constraint="none")
    expected, rss, *_ = np.linalg.lstsq(spectra.T, cube.reshape(BANDS, -1), rcond=None)
    np.testing.assert_allclose(
        maps(outcome, "abundances").reshape(3, -1), expected, rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(maps(outcome, "residual").ravel(), np.sqrt(rss / BANDS), rtol=1e-6)


def test_a_spectrum_of_zeros_is_shade(spectra: np.ndarray) -> None:
    with_shade = np.concatenate([spectra[:2], np.zeros((1, BANDS))])
    truth = np.array([0.3, 0.2, 0.5])
    cube = (truth @ with_shade)[:, None, None] * np.ones((1, 4, 5))
    found = maps(unmixed(cube, with_shade, constraint="fully_constrained"), "abundances")
    np.testing.assert_allclose(found, np.broadcast_to(truth[:, None, None], found.shape), atol=1e-6)


def test_maps_lie_on_the_image(cube: np.ndarray, spectra: np.ndarray) -> None:
    stack = stack_of(
        cube,
        axes=("band", "y", "x"),
        scale=(1, 0.5, 0.25),
        translate=(0, 4, 6),
        units=("pixel", "micrometer", "micrometer"),
    )
    placing = unmixed(stack, spectra).layer("abundances of stack").grid
    assert [axis.name for axis in placing.axes] == ["spectrum", "y", "x"]
    assert placing.axes[1].translate == 4
    assert placing.axes[2].scale == 0.25


def test_the_preview_is_a_part_of_the_run(cube: np.ndarray, spectra: np.ndarray) -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(cube), "spectra": stack_of(spectra)})
    shown = TOOL.preview(inputs, TOOL.check_parameters({}), 0)
    np.testing.assert_array_equal(
        maps(shown, "abundances"), maps(unmixed(cube, spectra), "abundances")
    )


def test_tiles_give_what_the_whole_gives(cube: np.ndarray, spectra: np.ndarray) -> None:
    whole = unmixed(cube, spectra)
    tiled = unmixed(cube, spectra, engine=Engine(Engine.local(2).executor, budget=60_000))
    for name in ("abundances", "abundance errors", "residual"):
        np.testing.assert_array_equal(maps(whole, name), maps(tiled, name))


def test_missing_bands_and_empty_pixels(cube: np.ndarray, spectra: np.ndarray) -> None:
    spoiled = cube.copy()
    spoiled[4, 2, 3] = np.nan
    spoiled[:, 5, 6] = np.nan
    outcome = unmixed(spoiled, spectra)
    found, whole = maps(outcome, "abundances"), maps(unmixed(cube, spectra), "abundances")
    assert np.isnan(found[:, 5, 6]).all()
    assert np.abs(found[:, 2, 3] - whole[:, 2, 3]).max() < 0.05
    assert np.isfinite(np.delete(found.reshape(3, -1), 5 * COLUMNS + 6, axis=1)).all()
    assert any("1 pixel held no data" in said for said in outcome.diagnostics)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((3, BANDS + 1), "columns"), ((1, BANDS), "1 spectrum|two"), ((BANDS,), "1 spectrum|two")],
)
def test_bad_spectra_are_told_in_a_sentence(
    cube: np.ndarray, shape: tuple[int, ...], sentence: str
) -> None:
    given = np.random.default_rng(0).random(shape)
    with pytest.raises(ValueError, match=sentence) as caught:
        unmixed(cube, given)
    assert "\n" not in str(caught.value)


def test_rounding_is_no_negative_abundance() -> None:
    """Pure pixels without noise: what is 0 comes out as 1e-16 on either side."""
    spectra = np.random.default_rng(0).uniform(0, 1000, (3, 11))
    cube = np.repeat(spectra, 40, axis=0).T.reshape(11, 10, 12)
    for constraint in ("none", "sum_to_one", "non_negative", "fully_constrained"):
        outcome = run("unmixing", stack=cube, spectra=spectra, constraint=constraint)
        assert (outcome.table("abundances").columns["negative"] == 0).all(), constraint
    spoiled = cube - 0.2 * spectra[1][:, None, None]
    outcome = run("unmixing", stack=spoiled, spectra=spectra, constraint="none")
    assert outcome.table("abundances").columns["negative"][1] == pytest.approx(2 / 3)


def test_spectra_have_names_of_their_own_or_of_their_layers(
    cube: np.ndarray, spectra: np.ndarray
) -> None:
    alone = [stack_of(row[None], name=name) for row, name in zip(spectra, "abc", strict=True)]
    table = unmixed(cube, alone).table()
    assert table.columns["spectrum"].tolist() == ["a", "b", "c"]
    whole = unmixed(cube, spectra, names="DAPI, GFP, RFP").table()
    assert whole.columns["spectrum"].tolist() == ["DAPI", "GFP", "RFP"]
    np.testing.assert_array_equal(table.columns["mean"], whole.columns["mean"])
    with pytest.raises(ValueError, match="names 2, but there are 3 spectra"):
        unmixed(cube, spectra, names="DAPI, GFP")


def test_each_spectrum_may_be_a_coloured_layer_that_adds_to_the_others(
    cube: np.ndarray, spectra: np.ndarray
) -> None:
    outcome = unmixed(cube, spectra, names="DAPI, GFP, RFP", maps="each")
    one = maps(unmixed(cube, spectra), "abundances")
    for number, name in enumerate(("DAPI", "GFP", "RFP")):
        layer = outcome.layer(f"{name} in stack")
        assert isinstance(layer, ImageResult)
        assert layer.blending == "additive"
        assert layer.visible
        np.testing.assert_array_equal(layer.data, one[number])
    colours = [layer.colormap for layer in outcome.layers if isinstance(layer, ImageResult)][-3:]
    assert len(set(colours)) == 3


def test_sentences_speak_of_bands_and_spectra(cube: np.ndarray, spectra: np.ndarray) -> None:
    for given in (
        {"spectra": np.stack([spectra[0], spectra[0]])},
        {"spectra": spectra, "lowest": (0.5,), "highest": (0.2,)},
        {"spectra": spectra, "weights": -np.ones((1, BANDS))},
    ):
        with pytest.raises(ValueError, match=r"spectr|[Aa]bundance|band") as caught:
            run("unmixing", stack=cube, **given)
        for word in ("reference", "pixel", "oefficient", "image"):
            assert word not in str(caught.value)
