"""The exception for faults that the user can fix."""

import errno


class UserError(Exception):
    """A fault in the config, the data or the machine, with a message of one line: what was found, and what to do.

    Unprintable characters, which file names may hold, are escaped: they could break the line or control a terminal.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class UserErrors(UserError):
    """Several independent faults, a line each."""

    def __init__(self, faults: list[UserError]):
        super().__init__(*faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


def together(faults: list[UserError]) -> UserError:
    """Return one error that reports all faults, those with equal messages once."""
    different = list({str(fault): fault for fault in faults}.values())
    return different[0] if len(different) == 1 else UserErrors(different)


def lacks_room(error: OSError) -> bool:
    """Return whether the disk is full, or the user's quota of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def lacks_locks(error: OSError) -> bool:
    """Return whether the file system cannot lock."""
    return error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def lacks_memory(error: Exception) -> bool:
    """Return whether an error means out of memory: in Python, in torch on a GPU or in torch on a CPU."""
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
