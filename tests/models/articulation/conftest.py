import pytest

from models.articulation import engines
from models.articulation.shapes import MouthModel


@pytest.fixture(scope="session")
def model() -> MouthModel:
    """The mouth model that ships with redub."""
    return engines.mouth_model()
