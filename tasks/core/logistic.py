"""Multinomial logistic regressions of sparse features, for several penalties side by side.

A product with a sparse matrix takes hardly longer for twelve columns than for three, so that the
penalties share theirs. Newton's method; each of its systems by conjugate gradients, truncated where
they gain little (Nash and Sofer 1990). Weights are sums of the items' rows all the way,
``W = Xᵀ A``, so that what is calculated with has a row an item, not a row a feature.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from scipy.special import log_softmax

from birnn.arrays import Array, Floats, Ints

TOLERANCE = 3e-4
STEPS, INNER, HALVINGS = 100, 500, 20  # of Newton; of conjugate gradients in one; of its length
LITTLE = 0.5  # of the mean gain of a step: one that gains less is the last of its system
COLUMNS, CELLS = 16, 4_000_000  # of all penalties that are fitted side by side


@dataclass(frozen=True)
class Softmax:
    """A fitted model."""

    weight: Array  # [V, C], float32
    bias: Array  # [C], float32

    def log_probabilities(self, x: sp.csr_matrix) -> Floats:
        """``[N, C]`` of features ``[N, V]``."""
        return np.asarray(log_softmax((x @ self.weight + self.bias).astype(np.float64), axis=1))

    def predict_proba(self, x: sp.csr_matrix) -> Floats:
        """``[N, C]``."""
        return np.exp(self.log_probabilities(x))

    def predict(self, x: sp.csr_matrix) -> Ints:
        """The likeliest class of each row ``[N]``."""
        return np.asarray((x @ self.weight + self.bias).argmax(1))


@dataclass(frozen=True)
class Coefficients:
    """Of ``P`` models: what each item adds to the weights, the products with them, the biases."""

    dual: Array  # Aᵀ [P, C, N]
    products: Array  # (X W)ᵀ = Aᵀ X Xᵀ [P, C, N]
    bias: Floats  # [P, C, 1]

    def of(self, models: Sequence[int] | Ints) -> "Coefficients":
        """Those of some models."""
        return Coefficients(self.dual[models], self.products[models], self.bias[models])

    def put(self, models: Ints, other: "Coefficients") -> None:
        """Overwrite those of some models."""
        self.dual[models], self.products[models] = other.dual, other.products
        self.bias[models] = other.bias

    def plus(self, share: Floats, step: "Coefficients") -> "Coefficients":
        """A ``share [P]`` of a step farther."""
        wide = _wide(share, step.dual)
        return Coefficients(self.dual + wide * step.dual, self.products + wide * step.products,
                            self.bias + share[:, None, None] * step.bias)  # fmt: skip


class Regressions:
    """Logistic regressions of one training split, for any penalty.

    Args:
        x: features ``[N, V]``, float32.
        gold: class numbers ``[N]``, ``0..C-1``, each present.
        tolerance: the share of its value by which an objective may be above its minimum, at most.
        precision: of what has a value for each item and class.

    As scikit-learn's, a model of penalty ``c`` has the least sum of cross-entropies plus
    ``|W|² / 2c``; of two classes, ``W`` is there the difference of theirs. Biases go free. The same
    bits come of any number of threads.
    """

    def __init__(self, x: sp.csr_matrix, gold: Ints, tolerance: float = TOLERANCE,
                 precision: Any = np.float32) -> None:  # fmt: skip
        self.tolerance = tolerance
        self.gold = np.eye(int(gold.max()) + 1, dtype=precision)[:, gold]
        self.x, self.transposed = Rows(x), Rows(x.T.tocsr())
        self.pool = ThreadPoolExecutor(torch.get_num_threads())

    @property
    def side_by_side(self) -> int:
        """How many penalties are best fitted at once: those beyond cost time and memory."""
        classes, items = self.gold.shape
        return int(max(1, min(4, COLUMNS // classes, CELLS // (items * classes))))

    def model(self, fitted: Coefficients, number: int) -> Softmax:
        """One of the fitted models."""
        dual = np.ascontiguousarray(fitted.dual[number].T, dtype=np.float32)
        bias = fitted.bias[number, :, 0].astype(np.float32)
        return Softmax(self.transposed.times(dual, self.pool), bias)

    def fit(self, penalties: Sequence[float], start: Coefficients | None = None) -> Coefficients:
        """Fit a model for each penalty; ``start`` holds one model to begin at."""
        classes, items = self.gold.shape
        factors = np.array(penalties) * (0.5 if classes == 2 else 1.0)
        if start is None:
            nothing = np.zeros((1, classes, items), dtype=self.gold.dtype)
            start = Coefficients(nothing, nothing, np.zeros((1, classes, 1)))
        fitted = start.of([0] * len(penalties))
        unfinished = np.arange(len(penalties))
        for _ in range(STEPS):
            point = Point.at(self.gold, fitted.of(unfinished), factors[unfinished])
            residual = point.residual()
            products = self.squared(residual)
            above = point.above(_dot(residual, products)) > self.tolerance * point.objective
            if not above.any():
                break
            if not above.all():
                unfinished, point = unfinished[above], point.of(above)
                residual, products = residual[above], products[above]
            step = self._newton(point, residual, products)
            fitted.put(unfinished, point.moved(step, self.gold, self.tolerance))
        return fitted

    def squared(self, dual: Array) -> Array:
        """``Aᵀ X Xᵀ`` of ``Aᵀ [P, C, N]``."""
        flat = dual.reshape(-1, dual.shape[2])
        out = np.empty_like(flat)
        for start in range(0, len(flat), 2 * COLUMNS):
            some = slice(start, start + 2 * COLUMNS)
            part = np.ascontiguousarray(flat[some].T, dtype=np.float32)
            out[some] = self.x.times(self.transposed.times(part, self.pool), self.pool).T
        return out.reshape(dual.shape)

    def _newton(self, point: "Point", residual: Array, products: Array) -> Coefficients:
        """The step of Newton's method, from minus the gradient and its product with ``X Xᵀ``."""
        step, moved = np.zeros_like(residual), np.zeros_like(residual)
        way, ahead = residual.copy(), products.copy()
        size = _dot(residual, products)
        live, gained = np.ones(len(size), dtype=bool), np.zeros(len(size))
        for count in range(1, INNER + 1):
            bent = point.curved(ahead)[0]
            bent += way / _wide(point.factors, way)
            bent_products = self.squared(bent)
            length = _ratio(size, _dot(way, bent_products), live)
            gain = length * size / 2
            gained += gain
            length = _wide(length, way)
            step += length * way
            moved += length * ahead
            residual -= length * bent
            products -= length * bent_products
            left = _dot(residual, products)
            live &= count * gain > LITTLE * gained
            live &= point.factors * left / 2 > 0.1 * self.tolerance * point.objective
            if not live.any():
                break
            turn = _wide(_ratio(left, size, live), way)
            for line, end in ((way, residual), (ahead, products)):
                line *= turn
                line += end
            size = left
        return Coefficients(step, moved, point.shift + point.curved(moved)[1])


@dataclass(frozen=True)
class Point:
    """What the objectives of ``P`` models are like at their coefficients."""

    coefficients: Coefficients
    factors: Floats  # [P], the penalties
    objective: Floats  # [P]
    slope: Array  # of the cross-entropies along the products [P, C, N]
    probabilities: Array  # [P, C, N]
    inverse: Array  # of the curvature along the biases [P, C, C]
    shift: Floats  # of the biases to where the objective is lowest, near here [P, C, 1]

    @staticmethod
    def at(gold: Array, at: Coefficients, factors: Floats) -> "Point":
        """Look around ``at``; ``gold [C, N]`` is 1 for the class of each item."""
        probabilities, objective = _objective(gold, at, factors)
        slope = probabilities - gold
        exact = probabilities.astype(np.float64)
        curvature = -exact @ exact.transpose(0, 2, 1)
        curvature += np.eye(len(gold)) * exact.sum(2, keepdims=True)
        inverse = np.linalg.pinv(curvature, rcond=1e-10, hermitian=True)
        shift = -inverse @ _total(slope)
        return Point(at, factors, objective, slope, probabilities, inverse, shift)

    def of(self, models: Array) -> "Point":
        """Of some models."""
        return Point(
            self.coefficients.of(np.flatnonzero(models)), self.factors[models],
            self.objective[models], self.slope[models], self.probabilities[models],
            self.inverse[models], self.shift[models],
        )  # fmt: skip

    def residual(self) -> Array:
        """Minus the gradient along the weights, once the biases have shifted: ``[P, C, N]``."""
        decay = self.coefficients.dual / _wide(self.factors, self.slope)
        return -(self.slope + self._curved(self.shift.astype(decay.dtype)) + decay)

    def above(self, squares: Floats) -> Floats:
        """By how much, at most, the objectives are above their minima ``[P]``.

        ``squares`` of the gradient's norm: the penalty alone curves the objective by ``1 / c``.
        """
        biases = -_dot(_total(self.slope), self.shift)
        return np.asarray(self.factors * squares / 2 + biases / 2)

    def curved(self, products: Array) -> tuple[Array, Floats]:
        """The change of the slope along ``products``, and of the biases that follow them."""
        follow = -self.inverse @ _total(self._curved(products))
        return self._curved(products + follow.astype(products.dtype)), follow

    def _curved(self, products: Array) -> Array:
        weighted = self.probabilities * products
        weighted -= self.probabilities * weighted.sum(1, keepdims=True)
        return weighted

    def moved(self, step: Coefficients, gold: Array, tolerance: float) -> Coefficients:
        """The whole step, or the half of a half … of it that lowers the objective (Armijo)."""
        at = self.coefficients
        gradient = self.slope + at.dual / _wide(self.factors, at.dual)
        slope = _dot(gradient, step.products) + _dot(_total(self.slope), step.bias)
        share = np.ones(len(slope))
        noise = 1e-3 * tolerance * self.objective
        for _ in range(HALVINGS):
            there = at.plus(share, step)
            objective = _objective(gold, there, self.factors)[1]
            high = objective > self.objective + 1e-4 * share * slope + noise
            if not high.any():
                break
            share = np.where(high, share / 2, share)
        return there


class Rows:
    """A sparse matrix ``[N, V]`` cut into parts, one a thread; the sum of a row is never cut."""

    def __init__(self, matrix: sp.csr_matrix) -> None:
        threads = torch.get_num_threads()
        shares = np.linspace(0, matrix.nnz, threads + 1)[1:-1]
        cuts = [0, *np.searchsorted(matrix.indptr, shares).tolist(), matrix.shape[0]]
        self.parts = [(a, b, _rows(matrix, a, b)) for a, b in pairwise(cuts) if a < b]
        self.length = int(matrix.shape[0])

    def times(self, dense: Array, pool: ThreadPoolExecutor) -> Array:
        """``[N, D]``, the product with float32 ``dense [V, D]``."""
        out = np.empty((self.length, dense.shape[1]), dtype=np.float32)

        def multiply(part: tuple[int, int, sp.csr_matrix]) -> None:
            start, end, rows = part
            out[start:end] = rows @ dense  # scipy lets other threads run

        list(pool.map(multiply, self.parts))
        return out


def _rows(matrix: sp.csr_matrix, start: int, end: int) -> sp.csr_matrix:
    """Some rows, in the matrix' own memory."""
    ends = matrix.indptr[start : end + 1]
    part = slice(ends[0], ends[-1])
    return sp.csr_matrix((matrix.data[part], matrix.indices[part], ends - ends[0]),
                         shape=(end - start, matrix.shape[1]), copy=False)  # fmt: skip


def _objective(gold: Array, at: Coefficients, factors: Floats) -> tuple[Array, Floats]:
    """Probabilities ``[P, C, N]``; cross-entropies plus the penalty ``[P]``."""
    logs = log_softmax(at.products + at.bias.astype(gold.dtype), axis=1)
    decay = _dot(at.dual, at.products) / (2 * factors)
    losses = np.einsum("pcn,cn->pn", logs, gold).sum(1, dtype=np.float64)
    return np.exp(logs), decay - losses


def _dot(one: Array, other: Array) -> Floats:
    return np.asarray(np.einsum("pcn,pcn->pc", one, other, dtype=np.float64).sum(1))


def _total(values: Array) -> Floats:
    return np.asarray(values.sum(2, keepdims=True, dtype=np.float64))


def _wide(values: Floats, like: Array) -> Array:
    return values[:, None, None].astype(like.dtype)


def _ratio(above: Floats, below: Floats, where: Array) -> Floats:
    """The quotients where they are asked for and can be; elsewhere 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=where & (below > 0))
