"""The ways in which a stage or a run may fail, and the exit code that each one becomes.

`BadInput` is the user's to mend, so it is never retried. `Unavailable` may pass, so it is. `Degraded` is not a
failure of the run: the stage keeps the original picture or sound for that span, and the reason is recorded.
"""

from __future__ import annotations


class RedubError(Exception):
    """Base of the errors that redub raises on purpose. `exit_code` is what the command line ends with."""

    exit_code = 1


class BadInput(RedubError):
    """The input cannot be worked on as it is.

    `what` says what is wrong, `where` which file, row or option, `remedy` what to do about it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(" ".join(part for part in (f"{where}:" if where else "", what, remedy) if part))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by keyword: the message alone could not build the error again in another process."""
        return _bad_input, (type(self), self.what, self.where, self.remedy)


def _bad_input(kind: type[BadInput], what: str, where: str, remedy: str) -> BadInput:
    return kind(what, where=where, remedy=remedy)


class MissingWeights(BadInput):
    """A model's weights are not on this machine; `remedy` names the command that brings them."""

    exit_code = 3


class Unavailable(RedubError):
    """Something outside did not answer; the same call may succeed later, so it is retried."""

    exit_code = 4


class NoSpace(RedubError):
    """The disk or the quota is full, or the folder may not be written. Not retried: a person must act."""

    exit_code = 5


class GateFailed(RedubError):
    """The dub is made, but not as good as was asked for, so it is not published. Not retried: a person must look.

    `failures` say what is beyond which threshold, one line each; `report` is the page that shows where.
    """

    exit_code = 6

    def __init__(self, failures: tuple[str, ...], report: str) -> None:
        self.failures, self.report = failures, report
        listed = "; ".join(failures)
        super().__init__(
            f"the dub did not pass the gate: {listed}. Nothing was published but its report, {report}: "
            "mend the worst lines in the sheet and run again, or run without --gate."
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by arguments: the message alone could not build the error again in another process."""
        return type(self), (self.failures, self.report)


class StageFailed(RedubError):
    """A stage fails on most of its pieces: not the lecture's fault, but redub's, a library's or the machine's."""


class Degraded(RedubError):
    """This span cannot be worked on; the original is kept and `reason` is recorded."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
