"""Types of numpy arrays, one name a kind."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]  # of categories, as Arrow keeps them
Bools = NDArray[np.bool_]
