"""NWB Zarr stores of both generations (formats 2 and 3): what is trusted of them, and what opens them."""
