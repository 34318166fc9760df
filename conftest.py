"""Settings of pytest that have no place in pyproject.toml."""

import os

import nbval.kernel

from scripts.kernels import OwnSocketsManager

# nbval offers no option for this. See the module for what it cures.
nbval.kernel.KernelManager = OwnSocketsManager


def pytest_configure(config):
    """Keep progress bars out of notebooks: on a busy machine one is taken for a result."""
    if config.option.nbval or config.option.nbval_lax:
        os.environ["TQDM_DISABLE"] = "1"
