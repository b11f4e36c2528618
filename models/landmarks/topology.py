"""Which of MediaPipe's 468 points are which (the canonical face model of MediaPipe Face Mesh, Kartynnik et al. 2019).

"Right" and "left" are the person's own, as in the detectors of `models.faces`.
"""

from __future__ import annotations

COUNT = 468

RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER = 33, 133, 362, 263
MOUTH_RIGHT, MOUTH_LEFT = 61, 291
UPPER_LIP_TOP, LOWER_LIP_BOTTOM = 0, 17
UPPER_LIP_INNER, LOWER_LIP_INNER = 13, 14
MOUTH_RIGHT_INNER, MOUTH_LEFT_INNER = 78, 308
CHIN = 152

LIPS_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
"""The rim of the lips: along the upper lip from the right corner to the left one, back along the lower lip."""
LIPS_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""The opening between the lips, in the same order."""
LIPS_MIDDLE = (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306, 307, 320, 404, 315, 16, 85, 180, 90, 77)
LIPS_NEAR_INNER = (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292, 325, 319, 403, 316, 15, 86, 179, 89, 96)
"""Two rings of points on the lips' red, between rim and opening."""

JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
"""The outline of the lower face, from below the right ear over the chin to the left one."""
CHIN_AREA = (
    *(18, 83, 182, 106, 43, 313, 406, 335, 273, 200, 201, 421, 194, 418, 204, 424, 202, 422, 199, 208, 428),
    *(32, 262, 175, 171, 396, 140, 369, 211, 431, 170, 395, 169, 394, 210, 430, 135, 364),
)
CHEEK_AREA = (
    *(57, 287, 186, 410, 92, 322, 165, 391, 167, 393, 164, 216, 436, 212, 432, 206, 426, 203, 423, 207, 427),
    *(214, 434, 192, 416, 187, 411, 213, 433, 138, 367, 215, 435, 205, 425, 147, 376),
)

STABLE = (
    *(33, 133, 362, 263),  # corners of the eyes
    *(168, 6, 197, 195, 5, 4),  # bridge and tip of the nose
    *(122, 351, 196, 419, 3, 248),  # sides of the bridge
    *(127, 356, 234, 454, 162, 389, 93, 323),  # temples and before the ears
    *(50, 280, 117, 346, 118, 347),  # cheekbones
)
"""Points that speech hardly moves: a head's pose is read from them."""

MOUTH = (*LIPS_OUTER, *LIPS_INNER, *LIPS_MIDDLE, *LIPS_NEAR_INNER, *JAW, *CHIN_AREA, *CHEEK_AREA)
"""Points that speech moves."""

KEPT = (*STABLE, *MOUTH)
"""What a face track keeps of each mesh, in this order: the stable points, then the mouth's."""

KEPT_STABLE = slice(0, len(STABLE))
KEPT_MOUTH = slice(len(STABLE), len(KEPT))
"""Where the two kinds lie among the kept points."""


def kept(index: int) -> int:
    """The place among `KEPT` of the mesh's point `index`; ValueError where it is not kept."""
    return KEPT.index(index)
