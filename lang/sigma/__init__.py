"""Sigma rules for single events as conditions in CEL over our events; what has no counterpart is refused by name."""

from lang.sigma.rules import Carried, Refused, carry_over, document

__all__ = ["Carried", "Refused", "carry_over", "document"]
