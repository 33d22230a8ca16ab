"""Quality on held-out bins: against numbers worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
import torch
import xarray as xr
from conftest_models import hand_coder, hand_data
from sklearn.metrics import r2_score
