"""Data sets, text files and their encoding, normalizers, and public data sets; numpy and attrs only."""
