"""Kernels that can be started at the same time.

By default a kernel listens on five TCP ports that were free a moment before it starts. Another
kernel that starts in that moment may take one of them: about one start in 300 then fails with
"Address already in use". Sockets in a folder of the kernel's own cannot clash. Windows has no such
sockets in ZeroMQ; there the default stays.
"""

import tempfile

import zmq
from jupyter_client.manager import AsyncKernelManager, KernelManager


class OwnSockets:
    """Mixin for a kernel manager: one folder with sockets for each kernel."""

    def __init__(self, **settings):
        self._folder = tempfile.TemporaryDirectory(prefix="kernel-")
        if zmq.has("ipc"):
            settings.update(transport="ipc", ip=f"{self._folder.name}/socket")
        super().__init__(**settings)

    def cleanup_ipc_files(self):
        """Delete the folder too, as soon as the kernel has ended."""
        super().cleanup_ipc_files()
        self._folder.cleanup()


class OwnSocketsManager(OwnSockets, KernelManager):
    """What nbval uses, by way of conftest.py."""


class AsyncOwnSocketsManager(OwnSockets, AsyncKernelManager):
    """What refresh.py uses."""
