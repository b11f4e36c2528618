from __future__ import annotations

import numpy as np
from metric_faces import carried, speaking

from models.landmarks import topology
from models.metrics.hold import hold_mouth


def test_the_closed_mouth_is_brought_over_and_the_rest_stays() -> None:
    points = carried(speaking(np.array([0.0, 14.0])))
    closed, spoken = np.full((400, 500, 3), 200, np.uint8), np.full((400, 500, 3), 50, np.uint8)
    held = hold_mouth(spoken, points[1], closed, points[0])
    x, y = points[1, topology.kept(topology.UPPER_LIP_INNER), :2].round().astype(int)
    assert held[y, x].tolist() == [200, 200, 200]
    assert (held[:60] == 50).all()
    assert (hold_mouth(spoken, points[1], spoken, points[0]) == spoken).all()
