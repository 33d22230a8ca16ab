"""Write the YAML files of the namespace: python src/spec/create_extension_spec.py [FOLDER]."""

import sys
from pathlib import Path

from pynwb.spec import NWBNamespaceBuilder, export_spec

from activations import attribution, dense_series, sparse_activations
from model import model
from tables import candidates, latents, metrics, population, sessions, variables

SPEC_FOLDER = Path(__file__).resolve().parents[2] / "spec"

INCLUDED = (
    "DynamicTable",
    "DynamicTableRegion",
    "NWBDataInterface",
    "TimeIntervals",
    "TimeSeries",
    "VectorData",
    "VectorIndex",
)


def write_spec(folder: Path) -> None:
    """Write the two YAML files of ndx-sparse-latents into `folder`."""
    namespace = NWBNamespaceBuilder(
        name="ndx-sparse-latents",
        version="0.2.1",
        full_name="Sparse latent models of neural populations",
        doc="Sparse latent models of neural populations: weights, activations and meaning.",
        author=["The nwbsparse developers"],
        # The schema asks for an address; example.org is reserved and reaches nobody.
        contact=["nwbsparse@example.org"],
    )
    for name in INCLUDED:
        namespace.include_type(name, namespace="core")
    # A type comes after the types it contains, because classes are generated in this order.
    types = [
        population,
        latents,
        variables,
        metrics,
        candidates,
        sessions,
        dense_series,
        sparse_activations,
        attribution,
        model,
    ]
    folder.mkdir(parents=True, exist_ok=True)
    export_spec(namespace, types, str(folder))


if __name__ == "__main__":
    write_spec(Path(sys.argv[1]) if len(sys.argv) > 1 else SPEC_FOLDER)
