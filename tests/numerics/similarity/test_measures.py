"""The other measures, groups and thresholds, against closed forms and direct sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats
from skimage.metrics import structural_similarity

from napari_framewise.numerics.similarity import (
    Filter,
    Pictures,
    Screen,
    Spectra,
    Transform,
    Unrelated,
    groups_of,
    histogram_distances,
    histograms,
    least_differences,
    on_canvas,
    order_of,
    phase_correlations,
    reduced,
    structural_similarities,
    tree_of,
)


def shifted_pair(seed: int = 0) -> list[np.ndarray]:
    whole = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(60, 60)), 1.0)
    return [whole[10:40, 10:40], 2 * whole[13:43, 6:36] + 5]


@pytest.mark.parametrize("squared", [False, True])
def test_differences_are_least_where_images_overlap(squared: bool) -> None:
    canvas = on_canvas(shifted_pair(), (30, 30), Filter("nothing"))
    found = least_differences(canvas, canvas, (6, 6), np.array([[0, 1]]), squared=squared)
    assert found.shifts.tolist() == [[-3, 4]]
    apart = canvas.values[0, 3:, :26].astype(float) - canvas.values[1, :27, 4:]
    expected = (apart**2 if squared else np.abs(apart)).mean()
    assert found.score[0] == pytest.approx(expected, rel=1e-5)


def test_phase_correlation_finds_the_shift_and_is_one_for_equal_images() -> None:
    canvas = on_canvas(shifted_pair(), (30, 30))
    spectra = Spectra.of(canvas, Transform((30, 30), (8, 8)))
    found = phase_correlations(spectra, spectra, np.array([[0, 1], [0, 0]]))
    assert found.shifts.tolist() == [[-3, 4], [0, 0]]
    assert found.score[1] == pytest.approx(1, abs=0.02)
    assert 0.1 < found.score[0] < 0.9


def test_distances_of_histograms() -> None:
    rng = np.random.default_rng(1)
    p, q = rng.integers(1, 50, (2, 12)).astype(float)
    p *= q.sum() / p.sum()
    first, second = p[None], q[None]
    shares = p / p.sum(), q / q.sum()
    one = histogram_distances(first, second, "l1")[0]
    assert one == pytest.approx(np.abs(shares[0] - shares[1]).sum())
    ruzicka = histogram_distances(first, second, "ruzicka")[0]
    assert ruzicka == pytest.approx((2 - one) / (2 + one))
    places = (np.arange(12) + 0.5) * 8 / 12 - 4
    mover = stats.wasserstein_distance(places, places, *shares)
    assert histogram_distances(first, second, "earth_mover")[0] == pytest.approx(mover)
    chi = ((shares[0] - shares[1]) ** 2 / (shares[0] + shares[1])).sum()
    assert histogram_distances(first, second, "chi_square")[0] == pytest.approx(chi)
    euclid = np.linalg.norm(shares[0] - shares[1])
    assert histogram_distances(first, second, "l2")[0] == pytest.approx(euclid)


def test_histograms_count_every_pixel_in_use() -> None:
    images = np.random.default_rng(2).normal(size=(3, 9, 10))
    images[1, :4] = np.nan
    counts = histograms(on_canvas(images, (9, 10), Filter("nothing")), 16)
    assert counts.sum(axis=1).tolist() == [90, 50, 90]


def test_the_threshold_keeps_the_share_of_unrelated_pairs() -> None:
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        null, real = rng.gumbel(0.2, 0.04, 4000), rng.uniform(0.55, 0.9, 120)
        scores = np.concatenate([null, real])
        level = Unrelated.of(scores).threshold(scores, 0.1)
        assert (real >= level).mean() > 0.95
        shares.append((null >= level).sum() / (scores >= level).sum())
    assert np.mean(shares) < 0.12


def test_the_least_share_is_the_first_that_gives_a_threshold() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.gumbel(0.3, 0.07, 4000), np.full(40, 0.8), [np.nan]])
    found = Unrelated.of(scores)
    share, level = found.least_share(scores)
    assert found.threshold(scores, share) == level
    assert found.threshold(scores, 0.999 * share) is None
    assert found.least_share(np.array([np.nan]))[0] == np.inf


def test_unrelated_pairs_alone_give_no_threshold() -> None:
    found = 0
    for seed in range(100):
        scores = np.random.default_rng(seed).gumbel(0.2, 0.04, 2000)
        found += Unrelated.of(scores).threshold(scores, 0.05) is not None
    assert found <= 12
    assert Unrelated.of(np.full(50, 0.3)) is None
    assert Unrelated.of(np.arange(5.0)) is None


def test_groups_tree_and_order() -> None:
    places = np.array([0.0, 5.0, 0.1, 5.1, 9.0])
    apart = np.abs(places[:, None] - places)
    assert groups_of(5, np.argwhere(apart < 0.5)).tolist() == [1, 2, 1, 2, 0]
    tree = tree_of(apart)
    order = order_of(tree).tolist()
    assert abs(order.index(0) - order.index(2)) == 1
    assert abs(order.index(1) - order.index(3)) == 1
    apart[0, 4] = apart[4, 0] = np.nan
    assert np.isfinite(tree_of(apart)).all()


def test_the_screen_is_correlation_over_the_overlap_of_reduced_images() -> None:
    rng = np.random.default_rng(0)
    canvas = on_canvas(rng.normal(size=(60, 16, 16)), (16, 16), Filter("nothing"))
    screen = Screen.learned(canvas, Transform((16, 16), (3, 3)), 0.3)
    small = reduced(canvas.values, screen.step)
    found = screen.scores(small[:3], small[:4])
    everything = np.eye(256, dtype=np.float32)
    projector = screen.basis @ screen.basis.T
    assert np.abs(projector @ projector - projector).max() < 1e-4
    for i in range(3):
        for j in range(4):
            best = -np.inf
            for dy, dx in screen.shifts:
                f = np.pad(small[i].reshape(16, 16), 3)[3:19, 3:19]
                g = np.pad(small[j].reshape(16, 16), 3)[3 + dy : 19 + dy, 3 + dx : 19 + dx]
                inside = np.pad(np.ones((16, 16)), 3)[3 + dy : 19 + dy, 3 + dx : 19 + dx]
                kept = (everything @ projector @ f.ravel()).reshape(16, 16)
                size = np.sqrt((f**2 * inside).sum() * (g**2).sum())
                best = max(best, (kept * g).sum() / size * np.sqrt(inside.mean()))
            assert found[i, j] == pytest.approx(best, rel=1e-3)


def test_a_displaced_image_is_among_the_candidates() -> None:
    rng = np.random.default_rng(1)
    whole = ndimage.gaussian_filter(rng.normal(size=(300, 60, 60)), (0, 1.5, 1.5))
    images = np.concatenate([whole[:, 5:53, 5:53], whole[:20, :48, 9:57]])
    canvas = on_canvas(images, (48, 48))
    screen = Screen.learned(canvas, Transform((48, 48), (12, 12)), 0.3)
    small, first = screen.reduced(canvas.values), np.arange(20)
    found, scores = screen.candidates(small.coarse[:20], first, small.coarse[10:], 10, 40)
    assert (found > first[:, None]).all()
    every = screen.scores(small.coarse[:20], small.coarse)
    every[np.arange(320) <= first[:, None]] = -np.inf
    every[:, :10] = -np.inf
    np.testing.assert_array_equal(np.sort(scores), np.sort(every)[:, -40:])
    np.testing.assert_array_equal(np.take_along_axis(every, found, axis=1), scores)
    closer = screen.closer(small.of(first), small, found, 3)
    assert all(300 + k in closer[k] for k in range(20))
    few, _ = screen.candidates(small.coarse[:20], first, small.coarse[310:313], 310, 5)
    assert ((few >= 0).sum(axis=1) == 3).all()


def test_structural_similarity_is_that_of_scikit_image_over_the_overlap() -> None:
    rng = np.random.default_rng(5)
    whole = 40 + 30 * ndimage.gaussian_filter(rng.normal(size=(70, 70)), 1.5)
    images = [whole[10:50, 10:52], whole[4:44, 17:59] * 1.1, whole[14:54, 8:50]]
    images = [image + rng.normal(0, 0.7, image.shape) for image in images]
    canvas = on_canvas(images, (40, 42))
    pictures = Pictures.of(Spectra.of(canvas, Transform((40, 42), (12, 12))), images)
    pairs = np.array([[0, 1], [1, 2], [2, 0], [0, 0]])
    found = structural_similarities(pictures, pictures, pairs)
    assert found.shifts[:3].tolist() == [[6, -7], [-10, 9], [4, -2]]
    for (i, j), score, (dy, dx) in zip(pairs, found.score, found.shifts.astype(int), strict=True):
        here = tuple(slice(max(0, -d), n - max(0, d)) for d, n in ((dy, 40), (dx, 42)))
        there = tuple(slice(max(0, d), n - max(0, -d)) for d, n in ((dy, 40), (dx, 42)))
        both = np.stack([images[i], images[j]])
        peer = structural_similarity(
            images[i][here], images[j][there], gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, data_range=both.max() - both.min(),
        )  # fmt: skip
        assert score == pytest.approx(peer, abs=1e-6)
    masks = [np.ones((40, 42))] * 3
    masks[1] = np.r_[np.zeros((30, 42)), np.ones((10, 42))]
    few = Pictures.of(
        Spectra.of(on_canvas(images, (40, 42), masks=masks), Transform((40, 42), (3, 3))), images
    )
    again = structural_similarities(few, few, np.array([[0, 1]]), least_overlap=0.1)
    changed = images[1].copy()
    changed[:30] = 1e9
    other = Pictures.of(few.spectra, [images[0], changed, images[2]])
    np.testing.assert_array_equal(
        structural_similarities(other, other, np.array([[0, 1]]), least_overlap=0.1).score,
        again.score,
    )
