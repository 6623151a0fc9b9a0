"""The one exception that a user can mend."""


class UserError(Exception):
    """A fault in the config, the data or the machine; its text is one line and says what to do.

    What would break the line, or talk to a terminal, is shown as a Python string shows it: names of files may hold it.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
