"""A build backend that builds nothing, so that `pip download` of a source package runs no code of that package.

pip asks a source package for its name and version through a build backend, and the usual one runs setup.py. With this
folder first in PYTHONPATH, --no-build-isolation and --use-pep517, pip asks here instead. The name and version that are
expected come from FYE_NAME and FYE_VERSION; pip has compared the package's sha256 before it asks.
"""

import os
import pathlib
import sys

# The backend of packages without a pyproject.toml is spelled setuptools.build_meta:__legacy__.
__legacy__ = sys.modules[__name__]


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name, version = os.environ["FYE_NAME"], os.environ["FYE_VERSION"]
    info = pathlib.Path(folder, f"{name}-{version}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return info.name


def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise RuntimeError("nothing is built here")
