"""Detections of an organisation's own, written as data: read, checked, tried on their own tests, run like any other."""

from chains.own.definition import Definition
from chains.own.detections import as_detections
from chains.own.document import Found, read_detections
from chains.own.trial import Tried, try_tests

__all__ = ["Definition", "Found", "Tried", "as_detections", "read_detections", "try_tests"]
