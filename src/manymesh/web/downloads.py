"""Downloads of networks that the page was asked for: one at a time, on a thread of its own, with progress, cancellable.

What is here of a download that was stopped stays; the next one goes on with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from manymesh.errors import Cancelled, ManymeshError, UsageError
from manymesh.web.words import message_for_page
from manymesh.weights.entries import Model


class Downloads:
    """At most one download.

    Args:
        allowed: whether requests may start one; see ``docs/security.md``.
    """

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._state: dict[str, Any] | None = None

    def start(self, models: Sequence[Model]) -> None:
        """Begin to fetch what is not here of ``models``.

        Raises:
            UsageError: not allowed here, nothing that may be fetched, or one is under way.
        """
        if not self.allowed:
            raise UsageError("Downloads are switched off on this server", "Ask whoever runs it.")
        if not models:
            raise UsageError("There is nothing of that name to download")
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise UsageError("A download is under way already", "Wait for it, or stop it.")
            self._stop = threading.Event()
            self._state = {"models": [m.id for m in models], "state": "running", "done": 0, "total": 0, "error": ""}
            self._thread = threading.Thread(
                target=self._fetch, args=(list(models), self._stop, self._state), name="manymesh-download", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End it at its next bytes."""
        self._stop.set()

    def state(self) -> dict[str, Any] | None:
        """The last one: ``models``, ``state`` (running, done, stopped, failed), ``done``, ``total`` (bytes), ``error``.
        None before the first."""
        return None if self._state is None else dict(self._state)

    def close(self, timeout_s: float = 5.0) -> None:
        """End it and wait."""
        self.stop()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _fetch(self, models: list[Model], stop: threading.Event, state: dict[str, Any]) -> None:
        from manymesh.weights.download import carry_out, plan, require_space
        from manymesh.weights.licences import require_accepted

        def told(done: int, total: int) -> None:
            if stop.is_set():
                raise Cancelled("Stopped on request")
            state.update(done=done, total=total)

        try:
            require_accepted(m.licence for m in models)
            planned = plan(models)
            require_space(planned)
            carry_out(planned, progress=told)
        except Cancelled:
            state.update(state="stopped")
        except ManymeshError as error:
            state.update(state="failed", error=message_for_page(str(error)))
        except Exception as error:
            # A bug must cost this download alone; the log keeps its traceback.
            logging.getLogger(__name__).exception("a download failed")
            state.update(state="failed", error=f"It failed ({type(error).__name__}); the server's log says more.")
        else:
            state.update(state="done")
