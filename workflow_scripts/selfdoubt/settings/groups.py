"""Type of `groups`: models that decide together."""

from pydantic import Field

from selfdoubt.settings.types import Name, OwnLabel, Strict


class Group(Strict):
    members: list[Name] = Field(min_length=1)  # two or more, twins of one name counted
    protocols: list[Name] = Field(min_length=1)  # of `protocols`, each an arm
    label: OwnLabel = None
