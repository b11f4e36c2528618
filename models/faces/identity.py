"""Who is who: which face tracks of a lecture show one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def link(
    embeddings: npt.NDArray[np.float32], durations: Sequence[float] | npt.NDArray[np.float64], same_person_cosine: float
) -> list[int]:
    """The person of every track, numbered from 0 by first appearance in the given order.

    `embeddings` (N, D) are of unit length, or all zero for a face that could not be embedded, which stays a person of
    its own; `durations` (N,) are positive weights, in any unit: a long track counts for more. The two groups with
    the highest mean cosine between their members (average linkage) are joined until it falls below
    `same_person_cosine`. The grouping does not depend on the order, equal cosines aside. ValueError for a duration that
    is missing or not positive.
    """
    count = len(embeddings)
    vectors = np.asarray(embeddings, np.float64)
    weights = np.asarray(durations, np.float64)
    if weights.shape != (count,) or (weights <= 0).any():
        raise ValueError("durations must be positive, one for each embedding")
    # The weighted mean cosine of two groups is the dot product of their weighted mean vectors.
    groups = [[index] for index in range(count)]
    means = vectors.copy()
    totals = weights.copy()
    known = np.linalg.norm(vectors, axis=1) > 0
    while len(groups) > 1:
        cosines = np.where(np.outer(known, known), means @ means.T, -np.inf)
        np.fill_diagonal(cosines, -np.inf)
        one, other = sorted(divmod(int(np.argmax(cosines)), len(groups)))
        if cosines[one, other] < same_person_cosine:
            break
        total = totals[one] + totals[other]
        means[one] = (totals[one] * means[one] + totals[other] * means[other]) / total
        totals[one] = total
        groups[one] += groups.pop(other)
        means, totals, known = (np.delete(array, other, axis=0) for array in (means, totals, known))
    labels = [0] * count
    for person, members in enumerate(sorted(groups, key=min)):
        for member in members:
            labels[member] = person
    return labels
