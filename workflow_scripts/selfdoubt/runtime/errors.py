"""The one exception that a user can mend."""

import errno


class UserError(Exception):
    """A fault in the config, the data or the machine; its text is one line and says what to do.

    What would break the line, or talk to a terminal, is shown as a Python string shows it: names of files may hold it.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class UserErrors(UserError):
    """Several faults that are mended apart, a line each."""

    def __init__(self, faults: list[UserError]):
        super().__init__(*faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


def together(faults: list[UserError]) -> UserError:
    """Return one error for one fault or more; what reads alike is told once."""
    different = list({str(fault): fault for fault in faults}.values())
    return different[0] if len(different) == 1 else UserErrors(different)


def lacks_room(error: OSError) -> bool:
    """Return whether the disk is full, or this user's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def lacks_locks(error: OSError) -> bool:
    """Return whether the file system cannot lock."""
    return error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def lacks_memory(error: Exception) -> bool:
    """Return whether there was too little memory, as Python, torch on a GPU and torch on a processor say it."""
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
