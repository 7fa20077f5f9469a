from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.numerics import mixing

GOOD = np.random.default_rng(0).uniform(0, 100, (3, 5, 6))


@pytest.mark.parametrize(
    ("references", "sentence"),
    [
        (GOOD[:1], "1 reference was given"),
        (np.zeros(7), "1 reference was given"),
        (np.zeros((17, 4, 4)), "17 references were given"),
        ([GOOD[0], GOOD[1][:4]], r"Reference 1 has shape \(4, 6\)"),
        (GOOD.astype(complex), "complex"),
        (GOOD.astype(object), "dtype object"),
        (GOOD.astype(str), "dtype"),
        (np.stack([GOOD[0], GOOD[0]]), "span only 0 of 1"),
        (np.stack([GOOD[0], GOOD[1], 0.3 * GOOD[0] + 0.7 * GOOD[1]]), "span only 1 of 2"),
        (np.full((2, 5, 6), np.nan), "No pixel is left"),
    ],
)
def test_references_that_cannot_be(references, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        mixing.prepare(references)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"bounds": (0.7, 0.4)}, "x1 has the lower bound 0.7 above its upper bound 0.4"),
        ({"bounds": ([0.5, 0.4, 0.3], 1)}, "sum lies between 1.2 and 3"),
        ({"bounds": (0, [0.2, 0.2, 0.2])}, "sum lies between 0 and 0.6"),
        ({"bounds": ([0, 0], 1)}, "one for each of the 3"),
        ({"constraint": "fully_constrained", "bounds": (-1, -0.5)}, "above its upper bound"),
        ({"constraint": "positive"}, "constraint was 'positive'"),
        ({"loss": "l1"}, "loss was 'l1'"),
        ({"errors": "hc0"}, "errors was 'hc0'"),
        ({"middle": [0.5, 0.5]}, "middle mixture"),
        ({"middle": [0.5, np.nan, 0.5]}, "middle mixture"),
    ],
)
def test_options_that_cannot_be(options, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        mixing.prepare(GOOD, **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gain without sum-to-one", {"constraint": "non_negative", "gain": True}),
        ("huber with reference noise", {"loss": "huber", "reference_noise": [1.0, 1.0, 1.0]}),
        (
            "poisson weights with a weight image",
            {
                "poisson_weights": True,
                "detector": mixing.Detector(),
                "weights": np.ones((5, 6)),
            },
        ),
        ("poisson weights without a detector", {"poisson_weights": True}),
    ],
)
def test_combinations_are_refused_with_the_sentence_of_the_table(name, options) -> None:
    with pytest.raises(ValueError, match="^" + mixing.COMBINATIONS[name][:40]):
        mixing.prepare(GOOD, **options)


def test_the_table_names_every_refusal() -> None:
    assert len(mixing.COMBINATIONS) == 4


@pytest.mark.parametrize("constraint", ["none", "sum_to_one", "non_negative", "fully_constrained"])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("gain", [False, True])
@pytest.mark.parametrize("loss", ["linear", "huber"])
@pytest.mark.parametrize("errors", ["classical", "consistent"])
@pytest.mark.parametrize("extra", ["plain", "bounds", "noise", "poisson", "weights"])
def test_what_is_not_refused_gives_numbers(constraint, offset, gain, loss, errors, extra) -> None:
    extras: dict[str, dict[str, Any]] = {
        "plain": {},
        "bounds": {"bounds": (0.1, 0.9)},
        "noise": {"reference_noise": [0.5, 0.5, 0.5]},
        "poisson": {"poisson_weights": True, "detector": mixing.Detector(read_noise=1)},
        "weights": {"weights": np.linspace(0, 1, 30).reshape(5, 6)},
    }
    options = {"offset": offset, "gain": gain, "loss": loss, "errors": errors, **extras[extra]}
    refused = (gain and constraint in ("none", "non_negative")) or (
        loss == "huber" and extra == "noise"
    )
    if refused:
        with pytest.raises(ValueError, match=r"\w"):
            mixing.prepare(GOOD, constraint=constraint, **options)
        return
    rng = np.random.default_rng(1)
    frames = np.tensordot(rng.dirichlet([3, 3, 3], 12), GOOD, 1) + rng.normal(0, 5, (12, 5, 6))
    frames[1, 2, 2] = np.nan
    fit = mixing.fit(frames, mixing.prepare(GOOD, constraint=constraint, **options))
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.unconstrained_errors).all()
    assert (np.isfinite(fit.errors) ^ fit.at_bound).all()
    assert (fit.errors[~fit.at_bound] > 0).all()
    assert np.isfinite(fit.r2).all()


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        (np.zeros((4, 6, 5)), r"have shape \(4, 6, 5\)"),
        (np.zeros((4, 5)), r"have shape \(4, 5\)"),
        (np.zeros((2, 4, 5, 6)), "must have that shape"),
        (np.zeros((4, 5, 6), complex), "complex"),
        (np.full((4, 5, 6), "a"), "dtype"),
        (np.full((4, 5, 6), None), "dtype object"),
    ],
)
def test_frames_that_cannot_be(frames, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        mixing.fit(frames, mixing.prepare(GOOD))


def test_fewer_pixels_than_unknowns() -> None:
    with pytest.raises(ValueError, match="Only 2 pixels"):
        mixing.prepare(np.random.default_rng(0).random((3, 2)), constraint="none")


def test_references_that_differ_by_a_constant_cannot_have_an_offset() -> None:
    references = np.stack([GOOD[0], GOOD[0] + 5])
    assert mixing.prepare(references).rank == 1
    with pytest.raises(ValueError, match="and the offset span only 1 of 2"):
        mixing.prepare(references, offset=True)
