"""Exact path-dependent Shapley values of boosted trees, in time linear in depth, by quadrature.

A leaf of value v whose path asks D features is worth v * prod(o_j) with all of them known and v * prod(z_j) with none: o_j is 1
where the row follows the path at every split on j, z_j the share of training rows that does. By Owen's multilinear extension
the Shapley value of feature i in that product is

    v * (o_i - z_i) * integral over t from 0 to 1 of prod over j != i of (t * o_j + (1 - t) * z_j)

an integral of a polynomial of degree D - 1, which Gauss-Legendre quadrature with D / 2 points gives exactly. So each node carries
its product at a handful of points instead of TreeSHAP's table of subset sizes, a leaf's value is summed up the tree once for all
features, and every factor is positive: nothing cancels. What depends on the tree alone is computed once per model.

References
----------
Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020 (what is computed).
Owen, "Multilinear extensions of games", 1972 (the integral).
Yu et al., "Linear TreeShap", 2022 (polynomials carried through a tree).
"""

import numba as nb
import numpy as np
import numpy.typing as npt

from models.families.tree_ensemble import LEAF, TreeEnsemble

# Points come in fours: one AVX2 register of float64.
_LANES = 4
_ROOT = -1
# Which of its two values an edge's factor, and that of the edge above on the same feature, has for a row.
_BOTH_FOLLOWED, _LEFT_HERE, _LEFT_ABOVE = 0, 1, 2


class TreeExplainer:
    """Explains the log-odds of a TreeEnsemble."""

    def __init__(self, trees: TreeEnsemble) -> None:
        """Precompute, per edge and quadrature point, what does not depend on the row."""
        self._trees = trees
        parent, above, share = _paths(trees.starts, trees.feature, trees.left, trees.right, trees.cover)
        self._parent, self._above = parent, above
        self._points = np.array([_points_needed(trees, above, tree) for tree in range(trees.trees)], dtype=np.int64)
        self.base_value = trees.base_value
        self._groups = []
        self._offsets = np.zeros(trees.trees, dtype=np.int64)
        for width in np.unique(self._points):
            chosen = np.flatnonzero(self._points == width)
            sizes = np.diff(trees.starts)[chosen]
            self._offsets[chosen] = np.cumsum(sizes) - sizes
            f=np.zeros((sizes.sum()*3, int(width))); w=np.zeros_like(f)
            for tree in chosen: self._fill(tree, share, f, w)
            self._groups.append((chosen, (0,)*int(width), f, w))

    def _fill(self, tree: int, share: npt.NDArray[np.float64], F, W) -> None:
        trees, nodes = self._trees, slice(int(self._trees.starts[tree]), int(self._trees.starts[tree + 1]))
        count, points = nodes.stop - nodes.start, int(self._points[tree])
        roots, weights = np.polynomial.legendre.leggauss(points)
        at, weight = (roots + 1.0) / 2.0, weights / 2.0
        z, above = share[nodes, None], self._above[nodes]
        followed, left = at + (1.0 - at) * z, (1.0 - at) * z
        shares = np.where(above[:, None] >= 0, z[above], 1.0)
        followed_above = np.where(above[:, None] >= 0, followed[above], 1.0)
        pushes, pulls = weight * (1.0 - z) / followed, np.broadcast_to(-weight / (1.0 - at), (count, points))
        pushes_above = np.where(above[:, None] >= 0, pushes[above], 0.0)
        o = int(self._offsets[tree])*3
        F[o+_BOTH_FOLLOWED:o+3*count:3] = (followed / followed_above)
        F[o+_LEFT_HERE:o+3*count:3] = (left / followed_above)
        F[o+_LEFT_ABOVE:o+3*count:3] = np.broadcast_to(z / shares, (count, points))
        W[o+_BOTH_FOLLOWED:o+3*count:3] = (pushes - pushes_above)
        W[o+_LEFT_HERE:o+3*count:3] = (pulls - pushes_above)
        leaf = trees.feature[nodes] == LEAF
        reach = np.ones(count)
        for node in range(1, count):
            reach[node] = reach[self._parent[nodes][node]] * z[node, 0] / shares[node, 0]
        self.base_value += float((reach * trees.value[nodes])[leaf].sum())

    def contributions(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return Shapley values [N, F] for rows of features [N, F]."""
        trees = self._trees
        result = np.zeros((len(values), trees.n_features))
        for chosen, lanes, factors, weights in self._groups:
            _explain(np.ascontiguousarray(values, dtype=np.float32), chosen, lanes, trees.starts, trees.feature, trees.threshold,
            trees.missing_left, trees.left, trees.right, trees.value, self._parent, self._above, self._offsets, factors, weights, result)
        return result


def _points_needed(trees: TreeEnsemble, above: npt.NDArray[np.int32], tree: int) -> int:
    """Half of the most distinct features on one path, rounded up to whole registers."""
    start, stop = int(trees.starts[tree]), int(trees.starts[tree + 1])
    distinct = np.zeros(stop - start, dtype=np.int64)
    for node in range(stop - start):
        if trees.feature[start + node] != LEAF:
            for child in (trees.left[start + node], trees.right[start + node]):
                distinct[child] = distinct[node] + (above[start + child] == _ROOT)
    return max(1, -(-int(distinct.max()) // (2 * _LANES))) * _LANES


@nb.njit(cache=True)
def _paths(starts, feature, left, right, cover):  # type: ignore[no-untyped-def]
    """Return per node its parent, the nearest edge above on the same feature, and the share of rows that follows all of these."""
    parent = np.full(feature.size, _ROOT, dtype=np.int32)
    above = np.full(feature.size, _ROOT, dtype=np.int32)
    share = np.ones(feature.size)
    for tree in range(starts.size - 1):
        start = starts[tree]
        for node in range(starts[tree + 1] - start):
            if feature[start + node] == LEAF:
                continue
            edge = node
            while edge > 0 and feature[start + parent[start + edge]] != feature[start + node]:
                edge = parent[start + edge]
            for child in (left[start + node], right[start + node]):
                parent[start + child] = node
                share[start + child] = cover[start + child] / cover[start + node]
                if edge > 0:
                    above[start + child] = edge
                    share[start + child] *= share[start + edge]
    return parent, above, share


@nb.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _explain(  # type: ignore[no-untyped-def]  # noqa: PLR0913
    values, chosen, lanes, starts, feature, threshold, missing_left, left, right, value, parent, above, offsets, factors, weights, result
):
    """Add the contributions of the chosen trees to `result`; tree by tree, so that its tables stay in the fastest cache.

    `lanes` is a tuple of as many numbers as there are points: its length is known when this is compiled, so that the loops over
    points become vector instructions.
    """
    width = len(lanes)
    largest = 0
    for tree in chosen:
        largest = max(largest, starts[tree + 1] - starts[tree])
    product = np.empty((largest, width))
    follows = np.empty(largest, dtype=np.bool_)
    place = np.empty(largest, dtype=np.int64)
    for tree in chosen:
        start, count = starts[tree], starts[tree + 1] - starts[tree]
        for row in range(values.shape[0]):
            for point in range(width):
                product[0, point] = 1.0
            for node in range(count):
                split = feature[start + node]
                if split == LEAF:
                    for point in range(width):
                        product[node, point] *= value[start + node]
                    continue
                x = values[row, split]
                goes_left = missing_left[start + node] if np.isnan(x) else x <= threshold[start + node]
                edge = above[start + left[start + node]]
                before = follows[edge] if edge >= 0 else True
                for side in range(2):
                    child = left[start + node] if side == 0 else right[start + node]
                    here = goes_left == (side == 0)
                    follows[child] = here and before
                    case = (_BOTH_FOLLOWED if here else _LEFT_HERE) if before else _LEFT_ABOVE
                    at = ((offsets[tree] + child) * 3 + case)
                    place[child] = at
                    for point in range(width):
                        product[child, point] = product[node, point] * factors[at, point]
                for point in range(width):
                    product[node, point] = 0.0
            for node in range(count - 1, 0, -1):
                total = 0.0
                up = parent[start + node]
                for point in range(width):
                    total += product[node, point] * weights[place[node], point]
                    product[up, point] += product[node, point]
                result[row, feature[start + up]] += total
