"""The commands of `rushes` that search, cut and export; `../cli.py` gathers them."""
