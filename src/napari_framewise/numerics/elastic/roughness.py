"""What makes a displacement rough: bending, and gradients of its divergence and its curl."""

from __future__ import annotations

from functools import reduce

from scipy import sparse

from napari_framewise.numerics.bsplines import Lattice


def roughness(lattice: Lattice, bending: float, divergence: float, curl: float) -> sparse.csr_array:
    """Matrix R of the energy ``c' R c`` of a displacement u, coefficients in the order (y, x, i).

    ``int bending |D^2 u|^2 + divergence |grad div u|^2 + curl |grad curl u|^2`` over the frame; the
    two latter are those of Sorzano, Thevenaz and Unser (2005), *IEEE Trans. Biomedical Engineering*
    52, 652-663, equation 8.
    """
    total = sparse.csr_array(
        sparse.kron(bending * lattice.roughness(2), sparse.eye_array(2), format="csr")
    )
    for weight, parts in (
        (divergence, ((0, 0, 1.0), (1, 1, 1.0))),
        (curl, ((1, 0, 1.0), (0, 1, -1.0))),
    ):
        # A part is (component, axis of its derivative, sign): div = u_y,y + u_x,x.
        if weight == 0:
            continue
        for i, a, first in parts:
            for j, b, second in parts:
                place = sparse.csr_array(([weight * first * second], ([i], [j])), shape=(2, 2))
                for gradient in range(2):
                    rows, columns = [0, 0], [0, 0]
                    for orders, along in ((rows, a), (columns, b)):
                        orders[along] += 1
                        orders[gradient] += 1
                    grams = [
                        axis.gram(r, c)
                        for axis, r, c in zip(lattice.axes, rows, columns, strict=True)
                    ]
                    gram = reduce(lambda m, n: sparse.kron(m, n, format="csr"), grams)
                    total = total + sparse.kron(gram, place, format="csr")
    return sparse.csr_array(total)
