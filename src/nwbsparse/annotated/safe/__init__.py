"""Files that are complete or not there: locks, partial files, HDF5 that waits for signals."""
