"""Frames, counted along several axes, as boxes of the array that holds them."""

from __future__ import annotations

from collections.abc import Iterator


def boxes_of(
    numbers: range, frame_axes: tuple[int, ...], shape: tuple[int, ...]
) -> Iterator[dict[int, slice]]:
    """Boxes that hold frames in order: one slice along each frame axis.

    Parameters
    ----------
    numbers : range
        Of the frames, counted along all frame axes, the last of them fastest.
    frame_axes : tuple of int
        Axes of the array that the frames run along, outermost first.
    shape : tuple of int
        Of the array.
    """
    if not numbers:
        return
    if not frame_axes:
        yield {}
        return
    *outer, inner = frame_axes
    length, step = shape[inner], numbers.step
    done = 0
    while done < len(numbers):
        left = len(numbers) - done
        row, first = divmod(numbers[done], length)
        count = min(left, -(-(length - first) // step))
        piece = {inner: slice(first, first + (count - 1) * step + 1, step)}
        whole = step == 1 and count == length
        for axis in reversed(outer):
            row, index = divmod(row, shape[axis])
            extent = min(shape[axis] - index, left // count) if whole else 1
            piece[axis] = slice(index, index + extent)
            count *= extent
            whole = whole and extent == shape[axis]
        yield piece
        done += count
