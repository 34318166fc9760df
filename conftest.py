"""Settings of pytest that have no place in pyproject.toml."""

import nbval.kernel

from scripts.kernels import OwnSocketsManager

# nbval offers no option for this. See the module for what it cures.
nbval.kernel.KernelManager = OwnSocketsManager
