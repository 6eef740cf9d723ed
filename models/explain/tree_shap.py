"""Exact path-dependent Shapley values of boosted trees, in time linear in the number of splits, by quadrature.

Let each feature be known with probability t, independently, and let whoever meets a split on an unknown feature go on
as the training rows did. The expected log-odds V(t) then lead from the base value, V(0), to the row's, V(1), and by
Owen's multilinear extension the Shapley value of a feature is its share of that way: the integral over t from 0 to 1
of what V'(t) owes to its splits. At one split

    left = z + u * (o - z)        who arrives goes left with this probability
    u = t / (t + (1 - t) * s)     the split's feature is known to who arrives, by Bayes

where o is 1 if the row goes left, else 0, z the share of training rows that does, and s the share of training rows
that go like the row at the splits above on the same feature (1 where there is none). Where the row left the path at
one of those, only who does not know the feature arrives: u is 0. By the chain rule the split's part of V'(t) is

    arriving * left' * (left subtree - right subtree),    left' = (o - z) * u * (1 - u) / (t * (1 - t))

with the expected values of both subtrees. One pass down a tree gives who arrives, one up what the subtrees are worth.
The parts of a feature on a path of D features add up to a polynomial of degree D - 1, which Gauss-Legendre quadrature
with D / 2 points gives exactly. Points are taken eight at a time, in the lanes of one vector register: enough for 16
features on a path.

A split costs 32 bytes and some 20 vector instructions. Tables of the contributions by leaf and by which splits hold
(Fast TreeSHAP) would take 62 MB for 120 trees of 31 leaves: to read them takes longer than to compute.

References
----------
Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020.
Owen, "Multilinear extensions of games", 1972: the integral.
Yu et al., "Linear TreeShap", 2022: polynomials carried through a tree.
Yang, "Fast TreeSHAP", 2021: the tables.
"""

from typing import Final

import numba as nb
import numpy as np
import numpy.typing as npt

from models.explain.lanes import LANES, load, spread, store, total
from models.families.tree_ensemble import LEAF, TreeEnsemble

_ROOT: Final = 0
_SPLIT: Final = np.dtype(
    [
        ("feature", np.uint32),
        ("threshold", np.float32),
        ("missing_left", np.uint32),
        ("share", np.float32),  # of the training rows that arrive: they go left
        ("left", np.uint32),
        ("right", np.uint32),
        ("above", np.uint32),  # the nearest child above, or the root, to which a split on the same feature led
        ("above_share", np.float32),  # of the training rows: they go there at every split above on the feature
    ]
)
"""Nodes count from their tree's root, its splits first and its leaves behind them."""
_TREE: Final = np.dtype([(name, np.uint32) for name in ("splits", "leaves", "first_point", "end_point")])
"""How many of each it has, and which registers of points it takes."""

_Ints = npt.NDArray[np.int32]
_Longs = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float32]


class TreeExplainer:
    """Explains the log-odds of a TreeEnsemble."""

    def __init__(self, trees: TreeEnsemble) -> None:
        """Lay out what the passes read."""
        is_leaf = trees.feature == LEAF
        tree_of = np.repeat(np.arange(trees.trees), np.diff(trees.starts))
        first = trees.starts[tree_of]
        reach = trees.cover / trees.cover[first].astype(np.float64)
        self.base_value = trees.base_value + float((reach * trees.value)[is_leaf].sum())
        self._n_features = trees.n_features
        self._leaves = trees.value[is_leaf]
        place = np.empty(len(first), np.int64)
        place[np.lexsort((is_leaf, tree_of))] = np.arange(len(first))
        self._splits = np.zeros(np.count_nonzero(~is_leaf), _SPLIT)
        on_a_path = np.zeros(trees.trees, np.int64)
        _lay_out(
            trees.starts, trees.feature, trees.threshold, trees.missing_left, trees.left, trees.right, trees.cover,
            place - first, self._splits, on_a_path,
        )  # fmt: skip
        registers = np.maximum(1, -(-on_a_path // (2 * LANES)))
        rules = [_quadrature(count * LANES) for count in range(1, registers.max(initial=1) + 1)]
        self._points, self._weights = np.hstack(rules).astype(np.float32).reshape(2, -1, LANES)
        self._trees = np.zeros(trees.trees, _TREE)
        self._trees["splits"] = np.bincount(tree_of[~is_leaf], minlength=trees.trees)
        self._trees["leaves"] = np.bincount(tree_of[is_leaf], minlength=trees.trees)
        self._trees["first_point"] = registers * (registers - 1) // 2
        self._trees["end_point"] = registers * (registers + 1) // 2

    def contributions(self, values: _Floats) -> npt.NDArray[np.float64]:
        """Return Shapley values [N, F] for rows of features [N, F]."""
        result = np.zeros((len(values), self._n_features))
        _explain(
            np.ascontiguousarray(values, np.float32), self._trees, self._splits, self._leaves, self._points,
            self._weights, result,
        )  # fmt: skip
        return result


def _quadrature(points: int) -> npt.NDArray[np.float64]:
    """Gauss-Legendre points on [0, 1] and their weights divided by t * (1 - t), [2, points]."""
    roots, weights = np.polynomial.legendre.leggauss(points)
    at = (roots + 1.0) / 2.0
    return np.stack([at, weights / 2.0 / (at * (1.0 - at))])


@nb.njit(cache=True, nogil=True)
def _lay_out(
    starts: _Longs,
    feature: _Ints,
    threshold: _Floats,
    missing_left: npt.NDArray[np.bool_],
    left: _Ints,
    right: _Ints,
    cover: _Floats,
    place: _Longs,
    splits: npt.NDArray[np.void],
    on_a_path: _Longs,
) -> None:  # pragma: no cover - compiled
    """Walk down every tree once; `on_a_path` is the most features that a path of each tree asks."""
    parent = np.zeros(feature.size, np.int64)
    share = np.ones(feature.size)
    distinct = np.zeros(feature.size, np.int64)
    count = 0
    for tree in range(starts.size - 1):
        start = starts[tree]
        for node in range(starts[tree + 1] - start):
            at = start + node
            on_a_path[tree] = max(on_a_path[tree], distinct[at])
            if feature[at] == LEAF:
                continue
            above = node
            while above != _ROOT and feature[start + parent[start + above]] != feature[at]:
                above = parent[start + above]
            for child in (left[at], right[at]):
                parent[start + child] = node
                share[start + child] = share[start + above] * cover[start + child] / cover[at]
                distinct[start + child] = distinct[at] + (above == _ROOT)
            split = splits[count]
            split.feature = feature[at]
            split.threshold = threshold[at]
            split.missing_left = missing_left[at]
            split.share = cover[start + left[at]] / cover[at]
            split.left = place[start + left[at]]
            split.right = place[start + right[at]]
            split.above = place[start + above]
            split.above_share = share[start + above]
            count += 1


@nb.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _explain(
    values: _Floats,
    trees: npt.NDArray[np.void],
    splits: npt.NDArray[np.void],
    leaves: _Floats,
    points: _Floats,
    weights: _Floats,
    result: npt.NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Add the contributions of all trees to `result`; a row's own number decides nothing, so no branch waits for it."""
    most = np.int64(1)
    for tree in trees:
        most = max(most, np.int64(tree.splits + tree.leaves))
    arriving = np.empty((most, LANES), np.float32)
    worth = np.empty((most, LANES), np.float32)
    goes_left = np.empty((most, LANES), np.float32)
    change = np.empty((most, LANES), np.float32)
    followed = np.empty(most, np.float32)
    one = np.float32(1.0)
    followed[_ROOT] = one
    first, first_leaf = np.uint64(0), np.uint64(0)
    for tree in trees:
        count = np.uint64(tree.splits)
        for leaf in range(np.uint64(tree.leaves)):
            store(worth, count + leaf, spread(leaves[first_leaf + leaf]))
        for row in range(values.shape[0]):
            for register in range(tree.first_point, tree.end_point):
                t = load(points, register)
                store(arriving, _ROOT, load(weights, register))
                for place in range(count):
                    split = splits[first + place]
                    x = values[row, split.feature]
                    left = (x <= split.threshold) | ((x != x) & (split.missing_left != 0))  # noqa: PLR0124 - NaN
                    row_left = np.float32(np.int32(left))
                    above = followed[split.above]
                    followed[split.left] = above * row_left
                    followed[split.right] = above * (one - row_left)
                    known = above * t / (t + (one - t) * split.above_share)
                    moved = row_left - split.share
                    here = load(arriving, place)
                    to_left = split.share + known * moved
                    store(goes_left, place, to_left)
                    store(change, place, here * moved * (known - known * known))
                    store(arriving, split.left, here * to_left)
                    store(arriving, split.right, here - here * to_left)
                for back in range(count):
                    inner = count - np.uint64(1) - back
                    split = splits[first + inner]
                    right = load(worth, split.right)
                    difference = load(worth, split.left) - right
                    store(worth, inner, right + load(goes_left, inner) * difference)
                    result[row, split.feature] += total(load(change, inner) * difference)
        first += count
        first_leaf += np.uint64(tree.leaves)
