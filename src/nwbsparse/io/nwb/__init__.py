"""NWB files, of any age and in any form, into a Session."""
