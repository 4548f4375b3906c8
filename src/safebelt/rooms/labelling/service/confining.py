"""What a process gives up before it touches foreign bytes."""

import ctypes
import resource
from contextlib import suppress

_FILES = 64
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # unshare(2): CLONE_NEWNET, CLONE_NEWUSER
_NO_NEW_PRIVILEGES = 38  # prctl(2)


def confine(memory_bytes: int, *, written_bytes: int = 0) -> None:
    """Give up what reading and changing foreign files does not need; what a system has no way to give up, is kept.

    Args:
        memory_bytes: Largest address space of this process, and of each that it starts.
        written_bytes: Longest file that it may write; 0 for none.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written_bytes, written_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        if libc.unshare(_NEW_NETWORK):
            libc.unshare(_NEW_USER | _NEW_NETWORK)
