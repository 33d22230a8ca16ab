"""Results as arrays ⇄ an NWB file, complete and verified."""
