"""The command ``python -m haca``."""
