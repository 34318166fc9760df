"""Settings of pytest that have no place in pyproject.toml."""

import os

import nbval.kernel

from scripts.kernels import OwnSocketsManager

# nbval offers no option for either: see the module for what the first cures; a progress bar would
# be taken for a result on a machine so busy that it appears.
nbval.kernel.KernelManager = OwnSocketsManager
os.environ["TQDM_DISABLE"] = "1"
