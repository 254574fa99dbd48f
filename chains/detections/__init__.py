"""The detections: one module per family, each with its metadata, parameters, function and examples."""

from chains.detections.registry import Detection, Example, Hit, Judged, Unjudged, judge, registry, run, run_one, severity_of

__all__ = ["Detection", "Example", "Hit", "Judged", "Unjudged", "judge", "registry", "run", "run_one", "severity_of"]
