from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from napari_framewise.numerics.difference import discovered, kept, p_values, regions, scores


def test_p_values_are_those_of_students_t() -> None:
    given = np.array([-3.0, 0.0, 2.5, 7.123, 39.9, 300.0])
    np.testing.assert_allclose(p_values(given, 8.0), stats.t.sf(given, 8.0), rtol=2e-3)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    random = np.random.default_rng(0)
    p = np.where(random.random(500) < 0.2, random.random(500) ** 6, random.random(500))
    for rate in (0.01, 0.05, 0.2):
        expected = stats.false_discovery_control(p) <= rate
        np.testing.assert_array_equal(discovered(p, rate), expected)
    assert not discovered(np.full(4, np.nan), 0.05).any()


def test_the_rate_holds_for_p_values_with_known_truth() -> None:
    random = np.random.default_rng(1)
    false = []
    for _ in range(200):
        null, real = random.random(900), random.random(100) * 1e-4
        found = discovered(np.concatenate([null, real]), 0.1)
        false.append(found[:900].sum() / max(1, found.sum()))
    assert np.mean(false) < 0.12


def test_scores_are_normal_whatever_the_structure() -> None:
    random = np.random.default_rng(2)
    structure = np.exp(random.normal(0, 1.5, (80, 80)))
    energy = structure**1.2 * random.chisquare(60, structure.shape) / 60
    found = scores(energy, structure, np.ones(structure.shape, bool))
    assert np.median(found) == pytest.approx(0, abs=0.15)
    assert found.std() == pytest.approx(1, abs=0.25)
    changed = energy.copy()
    changed[:8, :8] *= 20
    assert scores(changed, structure, np.ones(structure.shape, bool))[:8, :8].mean() > 6


def test_windows_without_data_have_no_score() -> None:
    valid = np.ones((40, 40), bool)
    valid[:5] = False
    found = scores(np.ones((40, 40)), np.ones((40, 40)), valid)
    np.testing.assert_array_equal(np.isnan(found), ~valid)


def test_regions_have_area_strength_and_place() -> None:
    changed = np.zeros((20, 20), bool)
    changed[2:6, 3:9] = changed[12:14, 15:18] = True
    measure = np.where(changed, 3.0, 1.0)
    measure[3, 4] = 9
    p = np.where(changed, 1e-6, 0.5)
    found = regions(changed, measure, p)
    assert found.area.tolist() == [24, 6]
    assert found.strength.tolist() == [9, 3]
    assert found.box.tolist() == [[2, 6, 3, 9], [12, 14, 15, 18]]
    np.testing.assert_allclose(found.centre[1], [12.5, 16])
    assert (found.p == 1e-6).all()


def test_regions_are_kept_while_their_share_of_false_ones_holds() -> None:
    random = np.random.default_rng(6)
    false = []
    for _ in range(300):
        # Of 400 windows where nothing changed those below 0.01 are regions, beside ten real ones.
        null = random.random(400)
        p = np.concatenate([null[null < 0.01], random.random(10) * 1e-4])
        found = kept(p, 400, 0.1)
        false.append(found[:-10].sum() / max(1, found.sum()))
    assert np.mean(false) < 0.12
    assert kept(np.array([0.2, 0.9]), 100, 0.05).tolist() == [False, False]
    assert kept(np.empty(0), 100, 0.05).size == 0
