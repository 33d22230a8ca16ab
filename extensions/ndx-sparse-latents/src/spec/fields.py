"""Short spellings for the pieces that every type is made of."""

from pynwb.spec import NWBAttributeSpec, NWBDatasetSpec, NWBGroupSpec

# hdmf reads a declared width as a minimum: float32 also accepts float64, uint16 accepts uint32.
# Scalars are declared "int", because "int64" would refuse a plain Python integer.


def attribute(name: str, dtype: str, doc: str, *, required: bool = True) -> NWBAttributeSpec:
    """Describe one scalar attribute (arrays are datasets: as attributes Zarr loses their dtype)."""
    return NWBAttributeSpec(name=name, dtype=dtype, doc=doc, required=required)


def scalar(name: str, dtype: str, doc: str, *, required: bool = True) -> NWBDatasetSpec:
    """Describe one scalar dataset, for texts too long for an HDF5 attribute (64 kB)."""
    return NWBDatasetSpec(name=name, dtype=dtype, doc=doc, quantity=1 if required else "?")


def array(name: str, dtype: str, dims: list, doc: str, *, required: bool = True) -> NWBDatasetSpec:
    """Describe one array; `dims` is a list of names, or a list of such lists if several fit."""
    nested = isinstance(dims[0], list)
    shape = [[None] * len(one) for one in dims] if nested else [None] * len(dims)
    quantity = 1 if required else "?"
    return NWBDatasetSpec(
        name=name, dtype=dtype, dims=dims, shape=shape, doc=doc, quantity=quantity
    )


def column(name: str, dtype: str, doc: str, *, required: bool = True) -> NWBDatasetSpec:
    """Describe one column of a table."""
    return NWBDatasetSpec(
        name=name,
        neurodata_type_inc="VectorData",
        dtype=dtype,
        doc=doc,
        quantity=1 if required else "?",
    )


def index(name: str) -> NWBDatasetSpec:
    """Describe the index that makes the optional column `name` ragged."""
    return NWBDatasetSpec(
        name=f"{name}_index",
        neurodata_type_inc="VectorIndex",
        doc=f"Index for the ragged column {name}.",
        quantity="?",
    )


def region(name: str, doc: str, *, required: bool = True) -> NWBDatasetSpec:
    """Describe a reference to rows of a table; that table must be in the same model group."""
    return NWBDatasetSpec(
        name=name,
        neurodata_type_inc="DynamicTableRegion",
        doc=doc,
        quantity=1 if required else "?",
    )


def child(name: str, type_name: str, doc: str, *, required: bool = True) -> NWBGroupSpec:
    """Describe a subgroup that always has the same name."""
    return NWBGroupSpec(
        name=name, neurodata_type_inc=type_name, doc=doc, quantity=1 if required else "?"
    )


def children(type_name: str, doc: str) -> NWBGroupSpec:
    """Describe any number of subgroups of one type, named by the writer."""
    return NWBGroupSpec(neurodata_type_inc=type_name, doc=doc, quantity="*")
