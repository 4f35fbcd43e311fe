"""What went wrong, and what should the user do about it?"""

from __future__ import annotations

from typing import TypeVar

One = TypeVar("One", bound="LimitsetError")


class LimitsetError(Exception):
    """Base of every error that limitset raises on purpose.

    The command line turns these into one line and exit status 2; anything else keeps its traceback and
    exits 70.
    """

    @classmethod
    def of(cls: type[One], *, expected: str, got: object, fix: str) -> One:
        """Build the one sentence that every error of limitset is.

        Parameters
        ----------
        expected
            What must hold, as a clause: ``"x and y must be the same items in the same order"``.
        got
            What came instead.
        fix
            What to do, as a sentence.

        Examples
        --------
        >>> str(InputError.of(expected="temperature must be 0 or above", got=-1, fix="Use 0 for greedy."))
        'temperature must be 0 or above; got -1. Use 0 for greedy.'
        """
        return cls(f"{expected}; got {got}. {fix}")


class InputError(LimitsetError, ValueError):
    """The input cannot be used as it is."""


class UndefinedError(LimitsetError, ArithmeticError):
    """The quantity does not exist for this input (never replaced by zero or an epsilon)."""


class DependencyError(LimitsetError, ImportError):
    """An optional package, model or file is missing."""
