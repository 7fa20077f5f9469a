"""Matrices: whatever program they are pasted from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from napari_framewise.framework.fields import fields_of
from napari_framewise.framework.matrices import Matrix, text_of_matrix
from napari_framewise.framework.parameters import Parameters, parameter, sentence_of

WANTED = ((1.0, 0.5, 3.0), (0.0, 1.0, -2.0))


class Moved(Parameters):
    matrix: Matrix | None = parameter(None, "Matrix", "Moves.")


@pytest.mark.parametrize(
    "text",
    [
        "1 0.5 3\n0 1 -2",
        "1\t0.5\t3\r\n0\t1\t-2\r\n",
        "1, 0.5, 3; 0, 1, -2",
        "[1 0.5 3; 0 1 -2]",
        "[[ 1.   0.5  3. ]\n [ 0.   1.  -2. ]]",
        "array([[1.0, 0.5, 3.0],\n       [0.0, 1.0, -2.0]], dtype=float32)",
        "((1, .5, 3), (0, 1, -2))",
        "1 0.5 3 0 1 -2",
        "[1, 5e-1, 3, 0, 1, -2]",
    ],
)
def test_a_pasted_text_is_read(text: str) -> None:
    assert Moved(matrix=text).matrix == WANTED


@given(
    st.sampled_from([(2, 3), (3, 3)]).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.floats(-1e12, 1e12))
    )
)
def test_numpy_and_its_texts_and_ours_are_the_same_matrix(array: np.ndarray) -> None:
    matrix = Moved(matrix=array).matrix
    assert matrix == tuple(map(tuple, array.tolist()))
    assert Moved(matrix=repr(array.tolist())).matrix == matrix
    assert Moved(matrix=text_of_matrix(matrix)).matrix == matrix
    (spec,) = fields_of(Moved)
    assert spec.parse(spec.format(matrix)) == matrix
    assert Moved.model_validate_json(Moved(matrix=matrix).model_dump_json()).matrix == matrix
    with np.printoptions(floatmode="unique"):
        assert Moved(matrix=repr(array)).matrix == matrix
        assert Moved(matrix=str(array)).matrix == matrix


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("1 2 3", "2 x 3 or 3 x 3 numbers, but it is 1 x 3"),
        ("1 2\n3 4", "but it is 2 x 2"),
        ("1 2 3\n4 5", "its rows hold 3, 2"),
        ("1 2 x\n3 4 5", "it holds 'x'"),
        ("1 2 nan\n3 4 5", "finite"),
        ([[1, 2], "a"], "rows of numbers"),
        (7, "rows of numbers"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(given: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Moved(matrix=given)
    sentence = sentence_of(caught.value, Moved)
    assert message in sentence
    assert sentence.startswith("Matrix was given")
