"""What wakes the thread that obeys: the system's word that the stop file or an order was written (inotify, Linux).

Asking the disk 200 times a second costs every exchange a switch of threads now and then, and half a turn of delay.
Where the system does not tell, or once did not tell (a folder that another machine writes), the thread asks again.
"""

import contextlib
import ctypes
import os
import select
import struct
import sys
import threading
import time
from pathlib import Path

_MODIFY, _MOVED_TO, _CREATE = 0x2, 0x80, 0x100
_HEAD = struct.Struct("iIII")
"""A `struct inotify_event` (inotify(7)): watch, mask, cookie, length of the name that follows."""
_READ_BYTES = 16 * 1024


class Wake:
    """Waits until somebody may have written an order.

    Args:
        folder: Where the stop file is.
        stop_name: What it is called.
        orders: The folder of orders.
    """

    def __init__(self, folder: Path, stop_name: str, orders: Path) -> None:
        self._stop_name, self._rung = stop_name.encode(), threading.Event()
        self._notify = self._bell = -1
        self._orders_watch = -1
        if sys.platform == "linux":
            with contextlib.suppress(OSError, AttributeError):
                self._open(folder, orders)

    def _open(self, folder: Path, orders: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        bell, notify = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC), libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watches = [
            libc.inotify_add_watch(notify, os.fsencode(place), mask)
            for place, mask in ((folder, _MODIFY | _MOVED_TO | _CREATE), (orders, _MOVED_TO))
        ]
        if min(notify, *watches) < 0:  # out of watches: the thread asks, as elsewhere
            for handle in (bell, notify):
                if handle >= 0:
                    os.close(handle)
            return
        self._notify, self._bell, self._orders_watch = notify, bell, watches[1]
        self._poll = select.poll()
        for handle in (notify, bell):
            self._poll.register(handle, select.POLLIN)

    @property
    def tells(self) -> bool:
        """Whether the system tells what was written."""
        return self._notify >= 0

    def wait(self, seconds: float) -> bool:
        """Return once an order may have been written (True), somebody has rung, or the time is over (False)."""
        if not self.tells:
            self._rung.wait(seconds)
            self._rung.clear()
            return False
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ready = {handle for handle, _ in self._poll.poll(left * 1000)}
            if self._notify in ready and self.was_told():
                return True
            if self._bell in ready:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._bell)
                return False
        return False

    def was_told(self) -> bool:
        """Read what the system tells; whether it concerns the stop file or an order."""
        if not self.tells:
            return False
        try:
            said = os.read(self._notify, _READ_BYTES)
        except BlockingIOError:
            return False
        at, found = 0, False
        while at < len(said):
            watch, _, _, length = _HEAD.unpack_from(said, at)
            name = said[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
            at += _HEAD.size + length
            found |= watch in (self._orders_watch, -1) or name == self._stop_name  # -1: more than it could keep
        return found

    def ring(self) -> None:
        """Wake whoever waits; safe in a signal handler."""
        if self.tells:
            with contextlib.suppress(BlockingIOError, OSError):
                os.eventfd_write(self._bell, 1)
        else:
            self._rung.set()

    def close(self) -> None:
        """Ask for nothing any more."""
        for handle in (self._notify, self._bell):
            if handle >= 0:
                os.close(handle)
        self._notify = self._bell = -1
