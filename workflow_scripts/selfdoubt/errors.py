"""The one exception that a user can mend."""


class UserError(Exception):
    """A fault in the config, the data or the machine; its text is one line and says what to do."""
