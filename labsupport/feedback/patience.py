"""End a call that takes too long: in a notebook as in a script, on every system.

A second thread waits. When the time is over, it raises `TooLong` in the thread that called, between
two steps of Python. A single long step, as of NumPy, is not interrupted.
"""

from __future__ import annotations

import ctypes
from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

SECONDS = 10.0
"""How long a call may take."""


class TooLong(BaseException):
    """Raised where the time was over. No Exception, so that no `except Exception` keeps it."""


def within_limit(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function, and give what it gave.

    Raises
    ------
    TooLong
        The time was over; the traceback says where.
    """
    caller, running, watched = ctypes.c_ulong(get_ident()), allocate_lock(), list[int]()
    began, raise_there = monotonic(), ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        while not running.acquire(timeout=SECONDS):  # again and again: `except:` keeps the first
            raise_there(caller, ctypes.py_object(TooLong))
        watched.clear()

    def stop() -> None:  # the exception may come in here, and so it can be done twice
        if running.locked():
            running.release()
        if monotonic() - began > SECONDS / 2:
            while watched:
                sleep(0)
            raise_there(caller, None)  # takes back what was not raised yet

    running.acquire()
    try:
        try:
            watched.append(start_new_thread(watch, ()))
            return function(*args)
        finally:
            stop()
    except BaseException:
        stop()
        raise
