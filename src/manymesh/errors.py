"""Every error that manymesh raises on purpose, and the exit code each one has.

Each says what failed, on what, and what to do next; the command line prints it in one line. Anything else that
escapes is a bug, and shows its traceback (exit code 1).

    ManymeshError
    ├── UsageError            2   a setting or flag makes no sense
    ├── InputError            3   a photo, mesh or run folder that cannot be read
    ├── NothingFoundError     4   no object in the photo
    ├── ObjectError           5   one object failed; the others went on (6 when none was left)
    │   ├── DamagedMeshError
    │   └── NotFiniteError        a network's numbers ran out of range
    ├── OutputError           7   the disk is full or cannot be written
    ├── MissingPieceError     8   an extra, a library or weights are not installed
    │   └── WeightsError          ... or are damaged
    ├── OutOfMemoryError      9   host or device memory ran out
    │   └── DoesNotFitError           ... or would: the job is refused before anything is loaded
    ├── LicenceError         10   a licence has not been accepted
    └── Cancelled           130   the user stopped it; the run can be resumed
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_BUG = 1
EXIT_SOME_FAILED = 5
EXIT_ALL_FAILED = 6


class ManymeshError(Exception):
    """Base of all errors for people.

    Args:
        what: what failed, on what, in one sentence without a full stop at the end.
        hint: what to do next, in one sentence, or "".
    """

    exit_code = EXIT_BUG

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}. {self.hint}".strip() if self.hint else self.what

    @property
    def code(self) -> str:
        """A stable name for machines, such as ``"input"`` or ``"nothing-found"``."""
        name = type(self).__name__.removesuffix("Error")
        return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


class UsageError(ManymeshError):
    exit_code = 2


class InputError(ManymeshError):
    exit_code = 3


class NothingFoundError(ManymeshError):
    exit_code = 4


class ObjectError(ManymeshError):
    exit_code = EXIT_SOME_FAILED


class DamagedMeshError(ObjectError):
    """A mesh that no stage after this one could use (empty, not finite, no area)."""


class NotFiniteError(ObjectError):
    """A network's output holds NaN or infinity. ``network`` is the network's name, as in "shape transformer"."""

    def __init__(self, what: str, hint: str = "", *, network: str = "") -> None:
        super().__init__(what, hint)
        self.network = network


class OutputError(ManymeshError):
    exit_code = 7


class MissingPieceError(ManymeshError):
    exit_code = 8


class WeightsError(MissingPieceError):
    """Weights that are absent, truncated, of the wrong shape or fail their checksum."""


class OutOfMemoryError(ManymeshError):
    exit_code = 9


class DoesNotFitError(OutOfMemoryError):
    """A job that needs more device memory than there is. ``needed_bytes`` is the smallest budget that would do."""

    def __init__(self, what: str, hint: str = "", *, needed_bytes: int = 0) -> None:
        super().__init__(what, hint)
        self.needed_bytes = needed_bytes


class LicenceError(ManymeshError):
    exit_code = 10


class Cancelled(ManymeshError):  # noqa: N818 - a wish, not an error; the name reads right where it is raised
    exit_code = 130


def kind_of(code: str) -> type[ManymeshError]:
    """The class whose ``code`` this is; ``ManymeshError`` itself for an unknown one."""
    kinds: list[type[ManymeshError]] = [ManymeshError]
    for kind in kinds:  # grows while it is walked: the whole tree
        kinds.extend(kind.__subclasses__())
        if kind("").code == code:
            return kind
    return ManymeshError
