"""The recording that stands beside results, where the source is no NWB file (HDF5) on this machine."""
