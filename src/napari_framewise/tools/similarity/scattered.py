"""Pairs here and there among many images: groups whose images are made ready together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.similarity.comparing import Comparison, Ready, listed
from napari_framewise.tools.similarity.passes import Images

# Of an image made ready, for each pixel of its padded canvas; of all images of a tile.
_PIXEL_BYTES = 12
_TILE_BYTES = 128 << 20
# What making an image ready takes beside comparing a pair.
_TIMES = 12

Columns = dict[str, Array]
Listing = Callable[[Ready, Array, Comparison], Columns]


def columns_of(
    listing: Listing, given: Images, pairs: Array, how: Comparison, engine: Engine, label: str
) -> Generator[Progress, None, Columns]:
    """Columns of pairs, whose images are read and made ready for them.

    Images are taken in tiles that memory holds, so that those of two tiles are made ready once for
    all pairs between them.

    Parameters
    ----------
    listing : callable
        ``listing(ready, places, how)``: columns of pairs of `places` (k, 2) among ready images.
    pairs : (k, 2) int
        Places of images.

    Returns
    -------
    dict
        Columns in the order of `pairs`.
    """
    image_bytes = _PIXEL_BYTES * int(np.prod(how.transform.padded))
    tile = tile_of(how)
    tiles = pairs // tile
    order = np.lexsort((tiles[:, 1], tiles[:, 0]))
    new = np.any(np.diff(tiles[order], axis=0, prepend=-1), axis=1)
    begins = np.flatnonzero(new) if len(pairs) else np.zeros(1, int)
    groups = np.stack([begins, np.append(begins[1:], len(pairs))], axis=1)
    many = max(1, len(pairs) // len(groups))
    scratch = image_bytes * min(2 * tile, 2 * many)
    found = yield from run_pass(
        MapFrames(),
        listed_groups,
        (stack_of(groups, axes=("frame", "n"), name="groups of pairs"),),
        (pairs[order], given, how, listing),
        engine=engine,
        cost=Cost(80 * many, scratch, many * _TIMES * how.pair_seconds()),
        label=label,
    )
    back = np.argsort(order)
    return {name: column[back] for name, column in joined(found).items()}


def tile_of(how: Comparison) -> int:
    """Images of a tile."""
    return max(2, _TILE_BYTES // (_PIXEL_BYTES * int(np.prod(how.transform.padded))))


def listed_groups(
    groups: Array, pairs: Array, given: Images, how: Comparison, listing: Listing
) -> Columns:
    """Columns of some groups: each from its first pair on to the next one's."""
    found = []
    for begin, end in groups:
        mine = pairs[begin:end]
        places = np.unique(mine)
        ready = given.ready([int(place) for place in places], how)
        found.append(listing(ready, np.searchsorted(places, mine), how))
    return joined(found)


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns of tables one below the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def chosen_pairs(
    given: Images, pairs: Array, how: Comparison, engine: Engine
) -> Generator[Progress, None, Columns]:
    """Columns of the table of some pairs (k, 2), the first number the lower one, in order."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return (yield from columns_of(_listed, given, pairs[order], how, engine, "Checking"))


def _listed(ready: Ready, pairs: Array, how: Comparison) -> Columns:
    return listed(ready, ready, pairs, how)
