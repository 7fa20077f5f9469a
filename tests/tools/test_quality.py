from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.framework.outcome import ImageResult
from napari_framewise.numerics import quality as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.quality import TOOL

RNG = np.random.default_rng(12)
TRUTH = np.rint(blobs(3, (40, 44), seed=5))
NOISY = TRUTH + RNG.normal(0, 6, TRUTH.shape)


class TestContract(ToolContract):
    name = "quality"
    stack = "restored"
    parameters: ClassVar[dict[str, Any]] = {"peak": 128.0}
    scaled_parameters = ("peak",)
    value_columns = (
        "rmse", "mae", "maximum", "bias", "offset", "matched_rmse", "even_rmse", "rms_uniform",
        "rms_smooth", "rms_rough", "peak",
    )  # fmt: skip
    squared_columns = ("mse",)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        truth = blobs(1, (20, 24), seed=5)[0] * unit
        return {"truth": self._fitting(truth)}

    _shape: tuple[int, ...] = (20, 24)

    @classmethod
    def _fitting(cls, truth: Array) -> Array:
        return truth[tuple(slice(length) for length in cls._shape)]

    def outcome(self, frames: Array, unit: float = 1.0, **options: Any) -> Any:
        # The truth has the size of the frames, where they have fewer rows or pixels.
        type(self)._shape = frames.shape[1:] if frames.ndim == 3 else (20, 24)
        return super().outcome(frames, unit, **options)


def test_numbers_are_those_of_scikit_image() -> None:
    outcome = run("quality", restored=NOISY, truth=TRUTH, ssim="scikit-image", peak=255)
    columns = outcome.table("quality").columns
    for frame in range(3):
        given = (TRUTH[frame], NOISY[frame])
        assert columns["psnr"][frame] == pytest.approx(
            peak_signal_noise_ratio(*given, data_range=255)
        )
        assert columns["ssim"][frame] == pytest.approx(
            structural_similarity(*given, data_range=255), abs=1e-10
        )
    assert "Peak 255" in outcome.summary
    assert any("MS-SSIM needs frames of 161" in each for each in outcome.diagnostics)


def test_maps_are_lazy_layers() -> None:
    outcome = run("quality", restored=NOISY, truth=TRUTH[0], peak=255)
    error, ssim = outcome.layer("error"), outcome.layer("SSIM")
    assert isinstance(error, ImageResult)
    assert isinstance(ssim, ImageResult)
    np.testing.assert_allclose(np.asarray(error.data), NOISY - TRUTH[0])
    expected = numerics.ssim(np.broadcast_to(TRUTH[0], NOISY.shape), NOISY, 255).values
    np.testing.assert_allclose(np.asarray(ssim.data), expected, atol=1e-12)
    assert ssim.contrast_limits == (0.0, 1.0)


def test_several_restorations_stand_in_one_table() -> None:
    better = TRUTH + (NOISY - TRUTH) / 4
    stacks = [stack_of(NOISY, name="noisy"), stack_of(better, name="better")]
    outcome = run("quality", restored=stacks, truth=TRUTH, noisy=NOISY, peak=255)
    rows = outcome.table("restorations").columns
    assert rows["name"].tolist() == ["better", "noisy"]
    np.testing.assert_allclose(rows["isnr"], [20 * np.log10(4), 0], atol=1e-12)
    columns = outcome.table("quality").columns
    assert (columns["psnr_better"] > columns["psnr_noisy"]).all()
    assert len(outcome.plots[0].curves) == 2
    twice = run("quality", restored=[NOISY, NOISY], truth=TRUTH, peak=255)
    assert len(set(twice.table("restorations").columns["name"])) == 2


def test_uneven_light_is_no_noise() -> None:
    shade = np.linspace(0.7, 1.3, 44)
    outcome = run("quality", restored=TRUTH * shade + (NOISY - TRUTH), truth=TRUTH, peak=255)
    row = outcome.table("quality").row(0)
    assert row["even_rmse"] == pytest.approx(6, rel=0.06)
    assert row["rmse"] > 12
    parts = row["rms_uniform"] ** 2 + row["rms_smooth"] ** 2 + row["rms_rough"] ** 2
    assert parts == pytest.approx(row["mse"])
    assert "apart from light" in outcome.summary


def test_other_units_and_structure_are_said() -> None:
    said = " ".join(run("quality", restored=NOISY / 255, truth=TRUTH, peak=255).diagnostics)
    assert "different units" in said
    blurred = (TRUTH + np.roll(TRUTH, 2, 2) + np.roll(TRUTH, -2, 2)) / 3
    said = " ".join(run("quality", restored=blurred, truth=TRUTH, peak=255).diagnostics)
    assert "structure is left" in said


def test_the_peak_is_the_types_or_the_range_of_floats() -> None:
    outcome = run("quality", restored=NOISY.astype(np.uint8), truth=TRUTH.astype(np.uint8))
    assert (outcome.table("quality").columns["peak"] == 255).all()
    outcome = run("quality", restored=NOISY, truth=TRUTH)
    assert outcome.table("quality").columns["peak"][0] == np.ptp(TRUTH[0])
    wide = TRUTH.astype(np.uint16)
    (said, *_) = run("quality", restored=wide, truth=wide).diagnostics
    assert "with that as the peak, PSNR would be" in said
    (said, *_) = run("quality", restored=NOISY, truth=TRUTH, peak=20).diagnostics
    assert "more than the peak" in said


def test_colours_are_pooled_and_their_similarity_averaged() -> None:
    truth = RNG.integers(0, 255, (30, 32, 3), dtype=np.uint8)
    image = np.clip(truth + RNG.normal(0, 9, truth.shape), 0, 255).astype(np.uint8)
    stacks = [stack_of(each, axes=("y", "x", "c"), rgb=True) for each in (image, truth)]
    row = run("quality", restored=stacks[0], truth=stacks[1], ssim="scikit-image")
    row = row.table("quality").row(0)
    expected = structural_similarity(truth, image, data_range=255, channel_axis=-1)
    assert row["ssim"] == pytest.approx(expected, abs=1e-10)
    assert row["psnr"] == pytest.approx(peak_signal_noise_ratio(truth, image, data_range=255))
    with pytest.raises(ValueError, match=r"^truth: "):
        run("quality", restored=stacks[0], truth=truth[..., 0])


def test_a_mask_leaves_pixels_out_whatever_they_hold() -> None:
    mask = np.ones((40, 44), np.uint8)
    mask[3:9, 4:20] = 0
    tables = []
    for under in (0.0, 1e6, np.nan):
        image = np.where(mask, NOISY, under)
        outcome = run("quality", restored=image, truth=TRUTH, mask=mask, peak=255)
        tables.append(outcome.table("quality").columns)
    for name, values in tables[0].items():
        for other in tables[1:]:
            np.testing.assert_array_equal(values, other[name], err_msg=name)
    assert (tables[0]["pixels"] == mask.sum()).all()


def test_the_same_as_the_truth_is_said() -> None:
    outcome = run("quality", restored=TRUTH, truth=TRUTH, peak=255)
    assert "the same as the truth" in outcome.summary
    assert np.isinf(outcome.table("quality").columns["psnr"]).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"truth": TRUTH[:, :9]}, "^truth: "),
        ({"truth": TRUTH[:2]}, "one truth of that size for all frames, or one per frame"),
        ({"truth": np.full((40, 44), 3.0)}, "tells no peak"),
        ({"truth": TRUTH / 255, "peak": 255.0}, "of which the peak is 1"),
        ({"restored": [NOISY, NOISY[:2]]}, "differ in their number of frames"),
        ({"peak": 0.0}, "greater than 0"),
        ({"mask": np.ones((9, 9), np.uint8)}, "^mask: .* one image of 9 x 9"),
    ],
)
def test_bad_inputs_are_refused_in_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run("quality", **{"restored": NOISY, "truth": TRUTH, **given})


def test_a_preview_is_the_run_of_its_frame() -> None:
    inputs = TOOL.check_inputs({"restored": stack_of(NOISY), "truth": stack_of(TRUTH)})
    parameters = TOOL.check_parameters({})
    shown = TOOL.preview(inputs, parameters, 1)
    whole = run("quality", restored=NOISY, truth=TRUTH)
    for name in ("error", "SSIM"):
        still, lazy = shown.layer(name), whole.layer(name)
        assert isinstance(still, ImageResult)
        assert isinstance(lazy, ImageResult)
        np.testing.assert_array_equal(np.asarray(still.data), np.asarray(lazy.data)[1])
    assert f"PSNR {whole.table('quality').columns['psnr'][1]:.2f} dB" in shown.summary


def test_the_methods_sentence_names_peak_and_variant() -> None:
    inputs = TOOL.check_inputs({"restored": stack_of(NOISY), "truth": stack_of(TRUTH)})
    said = TOOL.methods(inputs, TOOL.check_parameters({"peak": 255, "ssim": "reflected"}))
    assert "peak of 255" in said
    assert "mirrored border" in said
