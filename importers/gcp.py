"""Google Cloud Audit Logs: admin activity, data access, system events and policy denials, as exported by a sink."""

from __future__ import annotations

from collections.abc import Sequence

from importers.gcp_entry import read_entry
from importers.gcp_exports import entry_of
from importers.shared.fields import mapping, text
from model.event import Parsed


class GcpReader:
    """Reads one export; holds no state."""

    def read(self, record: object) -> Parsed:
        return read_entry(mapping(record), GcpAudit.id)


class GcpAudit:
    """Audit entries of Cloud Logging (`LogEntry` with an `AuditLog` payload)."""

    id = "gcp-audit"
    title = "Google Cloud audit log"
    evidence = "fixture"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        found = cluster = 0
        sure = False
        for record in sample:
            if not isinstance(record, dict):
                continue
            record = entry_of(record)
            payload = mapping(record.get("protoPayload"))
            if not payload:
                continue
            found += 1
            cluster += text(payload.get("serviceName")) == "k8s.io" or text(payload.get("methodName")).startswith("io.k8s.")
            log = text(record.get("logName"))
            sure = sure or "cloudaudit" in log or "AuditLog" in text(payload.get("@type") or payload.get("at_sign_type"))
            sure = sure or ("methodName" in payload and ("authenticationInfo" in payload or "authorizationInfo" in payload))
        if not found:
            return 0
        return 70 if cluster * 2 > found else 94 if sure else 75

    def open(self) -> GcpReader:
        return GcpReader()


IMPORTER = GcpAudit()
