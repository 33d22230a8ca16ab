"""Results ⇄ the types of ndx-sparse-latents in an NWB file."""
