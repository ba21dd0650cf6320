# SPDX-FileCopyrightText: The Stepmark developers
# SPDX-License-Identifier: Apache-2.0
"""The typed way to the hidden levels of a signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stepmark._kernels.buffers import Buffers
from stepmark._kernels.loops import levels as loops

if TYPE_CHECKING:
    from stepmark.series import Vector


@dataclass(frozen=True, slots=True)
class Noise:
    """How the noise of a signal hangs together.

    Attributes:
        phi: correlation of neighbours.
        gap: distance of its two bands; 0 where there is one.
        switch: probability that the next point lies in the other band.
        prior: how probable this kind of noise is, before the signal is seen.
    """

    phi: float = 0.0
    gap: float = 0.0
    switch: float = 0.0
    prior: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is taken for granted before the first point.

    Attributes:
        levels, scales: where the signal can be, and how far its points lie from there; rising.
        hazard: probability of a change before each point.
        renewal: share of the changes that bring a new scale, too.
        drift: probability that the scale changes before a point while the level stays.
        noises: the kinds of noise.
    """

    levels: Vector
    scales: Vector
    hazard: float
    renewal: float
    drift: float
    noises: Sequence[Noise]


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What is known after the last point.

    Attributes:
        weights: probability of each kind of noise, shape (k,).
        chances: for each kind of noise the probability that a segment begins at each point, shape
            (k, n); zeros where its weight is 0.
    """

    weights: Vector
    chances: Vector


def evidence(values: Vector, prior: Prior, kernel: Any = loops) -> Vector:
    """The logarithm of how probable the signal is under each kind of noise, shape (k,)."""
    given = _Passes(values, prior, kernel)
    return np.array([given.forward(noise) for noise in prior.noises])


def posterior(values: Vector, prior: Prior, least: float = 1e-3, kernel: Any = loops) -> Posterior:
    """The posterior of a signal of at least three points; O(n) time and memory.

    Kinds of noise less probable than *least* do not count.
    """
    given = [_Passes(values, prior, kernel) for _ in prior.noises]
    found = np.array([some.forward(noise) for some, noise in zip(given, prior.noises, strict=True)])
    found += np.log([noise.prior for noise in prior.noises])
    weights = np.exp(found - found.max())
    weights /= weights.sum()
    weights[weights < least] = 0.0
    weights /= weights.sum()
    chances = np.zeros((len(prior.noises), len(values)))
    for row, (some, noise) in enumerate(zip(given, prior.noises, strict=True)):
        if weights[row]:
            chances[row] = some.backward(noise)
    return Posterior(weights, chances)


class _Passes:
    """The two passes of the kernel over one signal, with the buffers that they share."""

    def __init__(self, values: Vector, prior: Prior, kernel: Any) -> None:
        self._kernel, self._make = kernel, Buffers(compiled=kernel.COMPILED)
        self._given = tuple(map(self._make.reals, (values, prior.levels, prior.scales)))
        self._steps = (prior.hazard, prior.renewal, prior.drift)
        n, self._kinds, self._depth = len(values), len(prior.scales), len(prior.levels)
        self._entries = self._make.reals(n * self._kinds)
        self._norms, self._chances = self._make.reals(n), self._make.reals(n)

    def forward(self, noise: Noise) -> float:
        """The logarithm of how probable the signal is with this noise."""
        known: float = self._kernel.forward(*self._arguments(noise))
        return known

    def backward(self, noise: Noise) -> Vector:
        """The chances of a change, shape (n,), after `forward` with the same noise."""
        ahead = self._make.reals(self._kinds)
        self._kernel.backward(*self._arguments(noise), ahead, self._chances)
        return np.asarray(self._chances)

    def _arguments(self, noise: Noise) -> tuple[Any, ...]:
        bands = 2 if noise.gap else 1
        states = [self._make.reals(bands * self._kinds * self._depth) for _ in range(5)]
        return (
            *self._given, noise.phi, bands, noise.gap, noise.switch, *self._steps,
            self._entries, self._norms, *states, self._make.reals(self._depth),
        )  # fmt: skip
