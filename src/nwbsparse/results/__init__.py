"""Results of a run, in memory and in folders."""

from nwbsparse.results.activations import open_activations as open_activations
from nwbsparse.results.results import Results as Results
from nwbsparse.results.results import open_results as open_results
from nwbsparse.results.results import write as write
