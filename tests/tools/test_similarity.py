"""Image similarity: what only the tool does, and what every tool keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from tests.helpers.tool_contract import ToolContract

from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.io.ragged import open_images
from napari_framewise.numerics.similarity import Filter
from napari_framewise.samples import SAMPLES
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.similarity import TOOL, advise, scattered
from napari_framewise.tools.similarity.comparing import Comparison, Measure, Ready, comparison
from napari_framewise.tools.similarity.judging import Judgement
from napari_framewise.tools.similarity.parameters import SimilarityParameters
from napari_framewise.tools.similarity.passes import Images, side_of


def crops(scenes: int, each: int, side: int = 32, seed: int = 0) -> tuple[Array, Array, Array]:
    """Crops of some scenes, the scene of each, and where it was cut."""
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 11, (scenes * each, 2))
    wholes = [
        ndimage.gaussian_filter(rng.normal(size=(side + 10,) * 2), 1.2) for _ in range(scenes)
    ]
    group = np.arange(scenes * each) % scenes
    images = [
        wholes[g][y : y + side, x : x + side] for g, (y, x) in zip(group, places, strict=True)
    ]
    noise = rng.normal(0, 0.03, (len(images), side, side))
    return 60 + 80 * (np.array(images) + noise), group, places


class TestContract(ToolContract):
    name = "similarity"
    stack = "images"
    parameters: ClassVar = {"max_shift": 4}
    cluster_atol = 1e-9
    skipped_columns = ()

    def frames(self) -> Array:
        images, _, _ = crops(3, 2, 20)
        return np.rint(images).clip(1, 119)


@pytest.fixture(scope="module")
def found() -> tuple[Outcome, Array, Array]:
    images, group, places = crops(6, 4)
    return run("similarity", images=images, max_shift=12), group, places


def test_groups_are_those_that_were_cut_from_one_scene(
    found: tuple[Outcome, Array, Array],
) -> None:
    outcome, group, places = found
    own = outcome.table("images").columns["group"]
    assert ((own[:, None] == own) == (group[:, None] == group)).all()
    pairs = outcome.table("pairs")
    first, second = pairs.columns["first"], pairs.columns["second"]
    same = group[first] == group[second]
    assert (pairs.columns["same"] == same).all()
    shifts = np.stack([pairs.columns["shift_y"], pairs.columns["shift_x"]], axis=1)
    expected = places[first] - places[second]
    assert np.abs(shifts - expected)[same].max() < 0.1
    assert (np.diff(pairs.columns["z"]) <= 0).all()


def test_the_matrix_is_symmetric_and_shifts_go_the_other_way(
    found: tuple[Outcome, Array, Array],
) -> None:
    outcome, group, places = found
    score = outcome.layer("images similarity")
    assert isinstance(score, ImageResult)
    assert score.pairs
    np.testing.assert_array_equal(score.data, score.data.T)
    np.testing.assert_allclose(np.diag(score.data), 1)
    shift = outcome.layer("images shift along rows")
    assert isinstance(shift, ImageResult)
    np.testing.assert_array_equal(shift.data, -shift.data.T)
    same = group[:, None] == group
    expected = places[:, None, 0] - places[None, :, 0]
    np.testing.assert_array_equal(shift.data[same], expected[same])
    ordered = outcome.layer("ordered similarity")
    assert isinstance(ordered, ImageResult)
    order = ordered.metadata["order"]
    assert (np.diff(group[order]) != 0).sum() == 5


def test_pairs_judged_before_are_left_out(found: tuple[Outcome, Array, Array]) -> None:
    outcome, _, _ = found
    pairs = outcome.table("pairs").columns
    judged = Table(
        "judged",
        "pair",
        {"first": pairs["second"][:3], "second": pairs["first"][:3], "same": np.array([0, 1, 0])},
    )
    images, _, _ = crops(6, 4)
    again = run("similarity", images=images, max_shift=12, judged=judged)
    left = again.table("pairs").columns
    known = set(zip(left["first"], left["second"], strict=True))
    assert (pairs["first"][0], pairs["second"][0]) not in known
    assert (pairs["first"][1], pairs["second"][1]) in known
    assert len(known) == len(pairs["first"]) - 2
    assert any("2 pairs were left out" in each for each in again.diagnostics)


def test_references_neighbours_and_one_against_all_agree_with_the_matrix(
    found: tuple[Outcome, Array, Array],
) -> None:
    outcome, group, _ = found
    score = np.asarray(outcome.layer("images similarity").data)  # type: ignore[union-attr]
    images, _, _ = crops(6, 4)
    beside = run("similarity", images=images, references=images[:6], max_shift=12)
    layer = beside.layers[0]
    assert isinstance(layer, ImageResult)
    np.testing.assert_allclose(layer.data, score[:6], atol=1e-12)
    table = beside.table("images").columns
    assert (table["reference"].astype(int) == group[table["frame"]]).all()
    one = run("similarity", images=images, compare="one", one=5, max_shift=12)
    values = np.asarray(one.layers[0].data)[0]  # type: ignore[union-attr]
    assert np.isnan(values[5])
    np.testing.assert_allclose(np.delete(values, 5), np.delete(score[5], 5), atol=1e-12)
    last = run("similarity", images=images, compare="neighbours", max_shift=12)
    np.testing.assert_allclose(last.table("pairs").columns["score"], np.diag(score, 1), atol=1e-12)


@pytest.mark.parametrize("compare", ["neighbours", "best_pairs"])
def test_no_more_images_are_made_ready_at_a_time_than_two_tiles_hold(
    compare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, _, _ = crops(6, 5)
    whole = run("similarity", images=images, compare=compare, max_shift=6)
    many: list[int] = []
    ready = Images.ready

    def counted(given: Images, places: Sequence[int], how: Comparison) -> Ready:
        many.append(len(places))
        return ready(given, places, how)

    monkeypatch.setattr(scattered, "_TILE_BYTES", 3 * 12 * 38 * 48)
    monkeypatch.setattr(Images, "ready", counted)
    tiled = run("similarity", images=images, compare=compare, max_shift=6)
    # The screen of best pairs learns from a sample, and draws copies of it.
    compared = [each for each in many if each < len(images)]
    assert len(compared) > 4
    assert max(compared) <= 8
    for name, column in whole.table("pairs").columns.items():
        np.testing.assert_allclose(tiled.table("pairs").columns[name], column, rtol=1e-9)


@pytest.mark.parametrize(
    "measure",
    [
        "phase",
        "absolute",
        "squared",
        "pearson",
        "histogram_l1",
        "histogram_earth_mover",
        "ruzicka",
        "ssim",
    ],
)
def test_every_measure_puts_equal_images_first(measure: str) -> None:
    images, _, _ = crops(8, 1)
    images = np.concatenate([images, images[2:3]])
    outcome = run("similarity", images=images, measure=measure, max_shift=3)
    pairs = outcome.table("pairs").columns
    assert (pairs["first"][0], pairs["second"][0]) == (2, 8)
    assert ("shift_y" in pairs) == (measure in ("phase", "absolute", "squared", "ssim"))


def test_the_best_pairs_of_each_image_are_those_of_the_matrix(
    found: tuple[Outcome, Array, Array],
) -> None:
    outcome, group, _ = found
    score = np.asarray(outcome.layer("images similarity").data)  # type: ignore[union-attr]
    images, _, _ = crops(6, 4)
    best = run("similarity", images=images, compare="best_pairs", top=3, max_shift=12)
    own = best.table("images").columns["group"]
    assert ((own[:, None] == own) == (group[:, None] == group)).all()
    pairs = best.table("pairs").columns
    assert len(pairs["first"]) <= 3 * 24
    np.testing.assert_allclose(pairs["score"], score[pairs["first"], pairs["second"]], atol=1e-12)
    assert (np.bincount(pairs["first"]) <= 3).all()
    assert "100.0 % of 24 images" in best.diagnostics[0]
    judged = Table("judged", "pair", {name: pairs[name][:1] for name in ("first", "second")})
    again = run(
        "similarity", images=images, compare="best_pairs", top=3, max_shift=12, judged=judged
    ).table("pairs")
    known = set(zip(again.columns["first"], again.columns["second"], strict=True))
    assert (pairs["first"][0], pairs["second"][0]) not in known


def test_a_folder_of_images_that_differ_in_size(tmp_path: Path) -> None:
    images, group, places = crops(6, 3, 40)
    for number, image in enumerate(images):
        cut = image[: 40 - 2 * (number % 4), number % 5 :]
        tifffile.imwrite(tmp_path / f"{number:02}.tif", cut.astype(np.float32))
    outcome = run("similarity", images=open_images(tmp_path))
    own = outcome.table("images").columns
    assert ((own["group"][:, None] == own["group"]) == (group[:, None] == group)).all()
    assert own["image"][1] == "01.tif"
    pairs = outcome.table("pairs").columns
    first, second = pairs["first"][:18], pairs["second"][:18]
    left = np.arange(18) % 5
    expected = places[first, 1] + left[first] - places[second, 1] - left[second]
    assert np.abs(pairs["shift_x"][:18] - expected).max() < 0.2


def test_unrelated_images_are_not_called_the_same() -> None:
    images, _, _ = crops(30, 1, seed=4)
    outcome = run("similarity", images=images)
    assert outcome.table("pairs").columns["same"].sum() == 0
    assert outcome.summary.endswith("No two images are the same.")


def test_pairs_that_only_a_larger_false_share_lets_pass_are_spoken_of() -> None:
    rng = np.random.default_rng(2)
    z = np.concatenate([rng.gumbel(15, 3, 4000), rng.uniform(36, 38, 60)])
    how, found = Comparison.of_two((24, 24)), {"score": z / 40, "z": z}
    judgement = Judgement(found, how, SimilarityParameters())
    assert judgement.undecided()
    assert not judgement.same(found).any()
    share = judgement.sentence(0).split("a False share of ")[1].split()[0]
    assert 0.01 < float(share) < 0.5
    wider = Judgement(found, how, SimilarityParameters(false_share=1.05 * float(share)))
    assert wider.same(found).sum() >= 50
    rest = {name: values[:4000] for name, values in found.items()}
    assert "a False share of" not in Judgement(rest, how, SimilarityParameters()).sentence(0)


def test_a_heavy_tail_of_unrelated_pairs_is_said() -> None:
    rng = np.random.default_rng(5)
    how, related = Comparison.of_two((24, 24)), np.full(40, 90.0)
    for tail, said in (([], 0), (rng.uniform(36, 46, 60), 1)):
        z = np.concatenate([rng.gumbel(15, 3, 5000), tail, related])
        judgement = Judgement({"score": z / 90, "z": z}, how, SimilarityParameters())
        assert len(judgement.doubts()) == said
    given = Judgement({"score": z / 90, "z": z}, how, SimilarityParameters(threshold=0.5))
    assert given.doubts() == ()


def test_the_defaults_find_what_is_the_same_in_the_sample() -> None:
    made = SAMPLES["cropped"].make()
    stack = dict(made.stacks)["stack"]
    kept = np.flatnonzero(made.truth["group"] < 12)
    outcome = run("similarity", images=stack.read(0, stack.n_frames)[kept], montage=0)
    pairs, group = outcome.table("pairs").columns, made.truth["group"][kept]
    related = group[pairs["first"]] == group[pairs["second"]]
    same = pairs["same"] == 1
    assert (same & related).sum() == 12 * 10
    # One in a hundred may be unrelated: 1.2 are expected.
    assert (same & ~related).sum() <= 3


def test_periodic_textures_are_said_with_a_shift_of_least_size() -> None:
    y, x = np.mgrid[:40, :40]
    wave = np.sin(2 * np.pi * x / 8) + np.sin(2 * np.pi * y / 8)
    outcome = run("similarity", images=np.stack([wave, wave, -wave]), threshold=0.9)
    pairs = outcome.table("pairs").columns
    assert (pairs["first"][0], pairs["second"][0]) == (0, 1)
    assert (pairs["shift_y"][0], pairs["shift_x"][0]) == pytest.approx((0, 0), abs=0.01)


def test_what_can_not_be_compared_is_said_in_a_sentence(tmp_path: Path) -> None:
    images, _, _ = crops(4, 1)
    with pytest.raises(ValueError, match="holds one image; give at least two"):
        run("similarity", images=images[:1])
    with pytest.raises(ValueError, match="Image 9 was asked for, but images holds 4 images"):
        run("similarity", images=images, compare="one", one=9)
    with pytest.raises(ValueError, match="first and second are needed"):
        run("similarity", images=images, judged=Table("t", "pair", {"a": np.arange(2)}))
    with pytest.raises(ValueError, match="must be the larger"):
        run("similarity", images=images, fine=7.0)
    few = run("similarity", images=images)
    assert few.summary.endswith("Too few different scores to choose a threshold by: give one.")
    plain = np.ones((5, 32, 32))
    for given, said in (
        ({"compare": "neighbours"}, "None of the pairs of neighbours of 5 images could be"),
        ({"references": plain[:2]}, "None of 5 images could be compared with a reference."),
        ({"compare": "best_pairs"}, "None of the pairs of 5 images could be compared."),
    ):
        outcome = run("similarity", images=plain, **given)
        assert outcome.summary.startswith(said)
        assert not any("The screen kept" in each for each in outcome.diagnostics)
    nothing = run("similarity", images=images, mask=np.zeros((4, 32, 32)))
    assert nothing.summary.startswith("None of the pairs")
    assert "4 images held no contrast" in nothing.diagnostics[0]


def test_a_matrix_beyond_memory_says_what_it_would_take() -> None:
    many = np.broadcast_to(np.float32(0), (200_000, 8, 8))
    with pytest.raises(
        ValueError, match=r"takes up to 800 GB, more than .*; give folder= .* compare best pairs"
    ):
        run("similarity", images=many)
    with pytest.raises(ValueError, match=r"200,000 images with 20,000 references takes 256 GB"):
        run("similarity", images=many, references=many[:20_000])


def test_what_a_long_run_takes_is_said_with_what_would_take_less() -> None:
    def said(n: int, **given: object) -> str:
        stack = stack_of(np.broadcast_to(np.float32(0), (n, 64, 64)), name="crops")
        parameters = SimilarityParameters(**given)  # type: ignore[arg-type]
        return advise(TOOL.check_inputs({"images": stack}), parameters)

    assert said(20).endswith(": 190 pairs.")
    short = said(1000, max_shift=16)
    assert short.endswith("499,500 pairs, about 19 s of one processor.")
    every = said(10_000)
    assert "49,995,000 pairs, about 1 h 43 min of one processor" in every
    assert "31 min with a Largest shift of 16 pixels" in every
    assert "with Best pairs and that" in every
    assert "200 GB on disk" in said(100_000)
    assert "with Best pairs." in said(100_000, max_shift=16)
    assert "disk" not in said(100_000, compare="best_pairs")


@pytest.mark.parametrize("measure", ["correlation", "phase", "absolute", "ssim", "ruzicka"])
@pytest.mark.parametrize("reach", [(16, 16), (44, 44)])
def test_no_tile_of_slow_pairs_outlasts_a_cancelled_run(
    measure: Measure, reach: tuple[int, int]
) -> None:
    how = comparison(measure, Filter(), (64, 64), reach, 0.3, ragged=False)
    assert side_of(how) ** 2 * how.pair_seconds() < 10
    if how.pair_seconds() < 4e-5:
        assert side_of(how) == 192


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_framewise.tools.similarity.matrix.memory_bytes", lambda: 10**4)


@pytest.mark.parametrize("measure", ["correlation", "histogram_l1"])
@pytest.mark.parametrize("drawn", [False, True])
def test_a_matrix_on_disk_says_the_same_as_one_in_memory(
    measure: str,
    drawn: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    small_memory: None,
) -> None:
    images, _, _ = crops(30, 3, 20)
    images[5] = 3.0
    judged = Table("judged", "pair", {"first": np.array([1, 3]), "second": np.array([71, 2])})
    given = {"images": images, "measure": measure, "max_shift": 5, "judged": judged}
    with monkeypatch.context() as roomy:
        roomy.setattr("napari_framewise.tools.similarity.matrix.memory_bytes", lambda: 10**9)
        here = run("similarity", **given)
    if drawn:
        # As of more pairs than are all looked at for the distribution.
        monkeypatch.setattr("napari_framewise.tools.similarity.scan._WHOLE", 100)
        monkeypatch.setattr("napari_framewise.tools.similarity.scan._DRAWN", 40_000)
        monkeypatch.setattr("napari_framewise.tools.similarity.scan._LINKS", 50)
    there = run("similarity", **given, folder=tmp_path / "out")
    assert here.summary == there.summary
    assert here.diagnostics == there.diagnostics
    for one, other in zip(here.layers, there.layers, strict=True):
        assert isinstance(one, ImageResult)
        assert isinstance(other, ImageResult)
        np.testing.assert_array_equal(one.data, other.data)
        assert one.name == other.name
        on_disk = "of images" in one.name and "ordered" not in one.name and "group" not in one.name
        assert (other.folder is not None) == on_disk
    for mine, theirs in zip(here.tables, there.tables, strict=True):
        for name, column in mine.columns.items():
            np.testing.assert_array_equal(column, theirs.columns[name])


def test_one_pair_is_spoken_of_in_the_singular() -> None:
    images, _, _ = crops(2, 1)
    both = run("similarity", images=images, compare="neighbours", threshold=0.5)
    assert both.summary.startswith("1 pair of neighbours was compared."), both.summary
    whole = run("similarity", images=images, threshold=0.5)
    assert whole.summary.startswith("2 images, 1 pair."), whole.summary
