"""Best-member stacking: stacking of the member that is most accurate on val, alone: a fit without a group."""

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.protocols import stacking
from selfdoubt.communication.protocols.best_member import best_of


def decide(members: Members, settings) -> Combined:
    """Decide by weights fitted on val to the logits of the best member, for one forward pass; val out-of-fold."""
    best = best_of(members.val_logits, members.val_labels)
    found = stacking.decide(members._replace(logits=[members.logits[best]]), settings)
    return found._replace(chosen={**found.chosen, "member": best}, forwards=1)
