"""Arms of one form of line and marker differ in colour for those who see fewer colours, too."""

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest

from selfdoubt.figures.context import look_at

SEEN_AS = {  # linear RGB, at full severity (Machado, Oliveira & Fernandes, IEEE TVCG 2009)
    "all colours": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])  # of sRGB, D65
NOTICED = 2.3  # of CIELAB, just so (Sharma 2003); in thin lines some times that is needed


def lab(colour: str, seen_as) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(seen_as) @ linear, 0, 1) / TO_XYZ.sum(1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("seen_as", SEEN_AS.values(), ids=SEEN_AS)
@pytest.mark.parametrize("first", [0, 6])
def test_six_arms_of_one_form_differ_in_colour(first, seen_as):
    looks = [look_at(place) for place in range(first, first + 6)]
    assert len({(look.dashes, look.marker) for look in looks}) == 1
    seen = [lab(look.colour, seen_as) for look in looks]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 4 * NOTICED


def test_a_known_colour_is_computed_as_the_tables_have_it():
    np.testing.assert_allclose(lab("#ff0000", np.eye(3)), [53.24, 80.09, 67.20], atol=0.1)
