-- schema 0025

CREATE TABLE remit_schema (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT remit_schema_pkc PRIMARY KEY (version_num)
)

CREATE TABLE accepted_risk (
    seq INTEGER NOT NULL,
    finding TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (seq)
)

CREATE INDEX ix_accepted_risk_finding ON accepted_risk (finding)

CREATE TABLE block (
    id INTEGER NOT NULL,
    size BIGINT NOT NULL,
    digest BLOB NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (id)
)

CREATE TABLE coverage (
    seq INTEGER NOT NULL,
    point TEXT NOT NULL,
    vantage TEXT NOT NULL,
    scope TEXT NOT NULL,
    started BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (seq)
)

CREATE TABLE credential (
    id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    flags TEXT NOT NULL,
    last_use BIGINT,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX ix_credential_key ON credential ("key")

CREATE TABLE credential_task (
    credential_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    PRIMARY KEY (credential_id, task_id)
)
 WITHOUT ROWID

CREATE INDEX ix_credential_task_task ON credential_task (task_id)

CREATE TABLE dirty_key (
    epoch BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (epoch, name)
)
 WITHOUT ROWID

CREATE TABLE dirty_task (
    epoch BIGINT NOT NULL,
    task_id TEXT NOT NULL,
    PRIMARY KEY (epoch, task_id)
)
 WITHOUT ROWID

CREATE TABLE event (
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    phase TEXT NOT NULL,
    vantage TEXT NOT NULL,
    point TEXT NOT NULL,
    at BIGINT,
    principal TEXT NOT NULL,
    verb TEXT NOT NULL,
    task_id TEXT,
    links BLOB,
    body BLOB NOT NULL,
    PRIMARY KEY (seq)
)

CREATE UNIQUE INDEX ix_event_id ON event (id)

CREATE INDEX ix_event_task ON event (task_id, at, id) WHERE task_id IS NOT NULL

CREATE TABLE event_key (
    name BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (name, at, event_id)
)
 WITHOUT ROWID

CREATE TABLE finding (
    id TEXT NOT NULL,
    detection TEXT NOT NULL,
    rank INTEGER NOT NULL,
    blind_spot BOOLEAN NOT NULL,
    task_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    at BIGINT,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX ix_finding_rank ON finding (blind_spot, rank, detection, id)

CREATE INDEX ix_finding_task ON finding (task_id)

CREATE TABLE journal (
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    body TEXT NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (seq)
)

CREATE TABLE meta (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
)

CREATE TABLE point (
    point TEXT NOT NULL,
    vantage TEXT NOT NULL,
    records BIGINT NOT NULL,
    events BIGINT NOT NULL,
    verdicts BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    PRIMARY KEY (point, vantage)
)

CREATE TABLE policy_version (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (name, version)
)

CREATE TABLE record (
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    source_id TEXT NOT NULL,
    name TEXT NOT NULL,
    line BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    start BIGINT NOT NULL,
    length BIGINT NOT NULL,
    block_id BIGINT NOT NULL,
    block_start BIGINT NOT NULL,
    at BIGINT,
    type TEXT NOT NULL,
    unknown_type TEXT NOT NULL,
    secrets TEXT NOT NULL,
    speaks BOOLEAN NOT NULL,
    events TEXT NOT NULL, copied BOOLEAN DEFAULT 0 NOT NULL, voice TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id, digest)
)

CREATE INDEX ix_record_digest ON record (digest)

CREATE INDEX ix_record_home ON record (source_id, line, idx)

CREATE TABLE record_also (
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    source_id TEXT NOT NULL,
    line BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    name TEXT NOT NULL,
    start BIGINT NOT NULL,
    PRIMARY KEY (id, digest, source_id, line, idx, name, start)
)
 WITHOUT ROWID

CREATE INDEX ix_record_also_source ON record_also (source_id)

CREATE TABLE reject (
    source_id TEXT NOT NULL,
    line BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    start BIGINT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (source_id, line, idx, start, name, digest)
)
 WITHOUT ROWID

CREATE TABLE scope_alias (
    name TEXT NOT NULL,
    root TEXT NOT NULL,
    PRIMARY KEY (name)
)

CREATE INDEX ix_scope_alias_root ON scope_alias (root)

CREATE TABLE scope_edge (
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (a, b)
)
 WITHOUT ROWID

CREATE INDEX ix_scope_edge_b ON scope_edge (b)

CREATE TABLE search_doc (
    id INTEGER NOT NULL,
    task_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX ix_search_doc_task_id ON search_doc (task_id)

CREATE TABLE sighting (
    point TEXT NOT NULL,
    at BIGINT NOT NULL,
    vantage TEXT NOT NULL,
    principal TEXT NOT NULL,
    host TEXT NOT NULL,
    session TEXT NOT NULL,
    decided TEXT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (point, at, vantage, principal, host, session, decided)
)
 WITHOUT ROWID

CREATE TABLE source (
    id TEXT NOT NULL,
    format TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (id)
)

CREATE TABLE source_file (
    seq INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    at BIGINT NOT NULL,
    "by" TEXT NOT NULL,
    note TEXT NOT NULL,
    complete BOOLEAN NOT NULL,
    PRIMARY KEY (seq)
)

CREATE INDEX ix_source_file_source_id ON source_file (source_id)

CREATE TABLE step (
    id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT,
    verb TEXT NOT NULL,
    target TEXT NOT NULL,
    title TEXT NOT NULL,
    recorded TEXT NOT NULL,
    disputed BOOLEAN NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX ix_step_task ON step (task_id, n)

CREATE TABLE task (
    id TEXT NOT NULL,
    scope TEXT NOT NULL,
    title TEXT NOT NULL,
    agent TEXT NOT NULL,
    principal TEXT NOT NULL,
    on_behalf_of TEXT NOT NULL,
    repository TEXT NOT NULL,
    environment TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT,
    steps BIGINT NOT NULL,
    events BIGINT NOT NULL,
    risk BIGINT NOT NULL,
    findings BIGINT NOT NULL,
    critical BIGINT NOT NULL,
    high BIGINT NOT NULL,
    medium BIGINT NOT NULL,
    low BIGINT NOT NULL,
    blind_spots BIGINT NOT NULL,
    detections TEXT NOT NULL,
    vantages TEXT NOT NULL,
    points TEXT NOT NULL,
    parent TEXT NOT NULL,
    depth BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    reviewed_at BIGINT, hidden BIGINT DEFAULT '0' NOT NULL, assignee TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX ix_task_parent ON task (parent)

CREATE INDEX ix_task_scope ON task (scope)

CREATE TABLE task_body (
    task_id TEXT NOT NULL,
    body BLOB NOT NULL,
    extra BLOB NOT NULL,
    PRIMARY KEY (task_id)
)

CREATE TABLE verdict (
    seq INTEGER NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    task_id TEXT NOT NULL,
    anchor TEXT NOT NULL,
    body BLOB NOT NULL, withdraws BIGINT, actor TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (seq)
)

CREATE INDEX ix_verdict_anchor ON verdict (anchor)

CREATE INDEX ix_verdict_subject ON verdict (subject, seq)

CREATE INDEX ix_task_agent ON task (agent, started DESC, id)

CREATE INDEX ix_task_findings ON task (findings DESC, started DESC, id)

CREATE INDEX ix_task_started ON task (started DESC, id)

CREATE INDEX ix_task_steps ON task (steps DESC, started DESC, id)

CREATE INDEX ix_task_title ON task (title, started DESC, id)

CREATE VIRTUAL TABLE search_fts USING fts5(tokens, content='', tokenize='ascii')

CREATE TRIGGER verdict_refuses_update BEFORE UPDATE ON verdict BEGIN SELECT RAISE(ABORT, 'verdict is append-only'); END

CREATE TRIGGER verdict_refuses_delete BEFORE DELETE ON verdict BEGIN SELECT RAISE(ABORT, 'verdict is append-only'); END

CREATE TRIGGER accepted_risk_refuses_update BEFORE UPDATE ON accepted_risk BEGIN SELECT RAISE(ABORT, 'accepted_risk is append-only'); END

CREATE TRIGGER accepted_risk_refuses_delete BEFORE DELETE ON accepted_risk BEGIN SELECT RAISE(ABORT, 'accepted_risk is append-only'); END

CREATE TRIGGER policy_version_refuses_update BEFORE UPDATE ON policy_version BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END

CREATE TRIGGER policy_version_refuses_delete BEFORE DELETE ON policy_version BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END

CREATE TRIGGER journal_refuses_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END

CREATE TRIGGER journal_refuses_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END

CREATE TABLE bookmark (
    id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
)

CREATE TABLE tally (
    task_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    week TEXT NOT NULL,
    verb TEXT NOT NULL,
    tool TEXT NOT NULL,
    actions BIGINT NOT NULL,
    decided BIGINT NOT NULL,
    allowed BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    held BIGINT NOT NULL,
    bound BIGINT NOT NULL,
    confirmed BIGINT NOT NULL,
    burst BIGINT NOT NULL,
    timed BIGINT NOT NULL,
    waited BIGINT NOT NULL,
    near BIGINT NOT NULL,
    far BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    PRIMARY KEY (task_id, owner, week, verb, tool)
)
 WITHOUT ROWID

CREATE TABLE point_version (
    task_id TEXT NOT NULL,
    point TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    seen BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    PRIMARY KEY (task_id, point, kind, version)
)
 WITHOUT ROWID

CREATE TABLE claim (
    value TEXT NOT NULL,
    at BIGINT NOT NULL,
    step_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    PRIMARY KEY (value, at, step_id)
)
 WITHOUT ROWID

CREATE TABLE conformance (
    task_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    point TEXT NOT NULL,
    kind TEXT NOT NULL,
    why TEXT NOT NULL,
    step_id TEXT NOT NULL,
    steps BIGINT NOT NULL,
    at BIGINT,
    body BLOB NOT NULL,
    PRIMARY KEY (task_id, policy, point, kind, why, step_id)
)
 WITHOUT ROWID

CREATE INDEX ix_claim_task ON claim (task_id)

CREATE TABLE policy_in_force (
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    point TEXT NOT NULL,
    at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (seq)
)

CREATE INDEX ix_policy_in_force_name ON policy_in_force (name)

CREATE TRIGGER policy_in_force_refuses_update BEFORE UPDATE ON policy_in_force BEGIN SELECT RAISE(ABORT, 'policy_in_force is append-only'); END

CREATE TRIGGER policy_in_force_refuses_delete BEFORE DELETE ON policy_in_force BEGIN SELECT RAISE(ABORT, 'policy_in_force is append-only'); END

CREATE TABLE shape (
    digest BLOB NOT NULL,
    request BLOB NOT NULL,
    PRIMARY KEY (digest)
)

CREATE TABLE step_change (
    seq BIGINT NOT NULL,
    task_id TEXT NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (seq, task_id)
)
 WITHOUT ROWID

CREATE TABLE word_pair (
    event_id TEXT NOT NULL,
    point TEXT NOT NULL,
    apart BIGINT NOT NULL,
    PRIMARY KEY (event_id)
)
 WITHOUT ROWID

CREATE TABLE sequence_break (
    event_id TEXT NOT NULL,
    point TEXT NOT NULL,
    at BIGINT NOT NULL,
    missing BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (event_id)
)
 WITHOUT ROWID

CREATE TABLE "request" (
    task_id TEXT NOT NULL,
    shape BLOB NOT NULL,
    step_id TEXT NOT NULL,
    at BIGINT,
    answered TEXT NOT NULL,
    PRIMARY KEY (task_id, shape, step_id)
)
 WITHOUT ROWID

CREATE TABLE share_sum (
    agent TEXT NOT NULL,
    repository TEXT NOT NULL,
    week TEXT NOT NULL,
    actions BIGINT NOT NULL,
    decided BIGINT NOT NULL,
    allowed BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    held BIGINT NOT NULL,
    bound BIGINT NOT NULL,
    confirmed BIGINT NOT NULL,
    timed BIGINT NOT NULL,
    waited BIGINT NOT NULL,
    near BIGINT NOT NULL,
    far BIGINT NOT NULL,
    PRIMARY KEY (agent, repository, week)
)
 WITHOUT ROWID

CREATE TABLE risk_sum (
    agent TEXT NOT NULL,
    repository TEXT NOT NULL,
    risk BIGINT NOT NULL,
    tasks BIGINT NOT NULL,
    critical BIGINT NOT NULL,
    high BIGINT NOT NULL,
    medium BIGINT NOT NULL,
    low BIGINT NOT NULL,
    blind_spots BIGINT NOT NULL,
    PRIMARY KEY (agent, repository, risk)
)
 WITHOUT ROWID

CREATE TABLE finding_sum (
    hour BIGINT NOT NULL,
    rank BIGINT NOT NULL,
    blind_spot BIGINT NOT NULL,
    findings BIGINT NOT NULL,
    PRIMARY KEY (hour, rank, blind_spot)
)
 WITHOUT ROWID

CREATE TABLE credential_sum (
    bond TEXT NOT NULL,
    flags TEXT NOT NULL,
    credentials BIGINT NOT NULL,
    PRIMARY KEY (bond, flags)
)
 WITHOUT ROWID

CREATE INDEX ix_verdict_withdraws ON verdict (withdraws)

CREATE TABLE statement (
    seq INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    task_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (seq)
)

CREATE INDEX ix_statement_subject ON statement (what, subject, seq)

CREATE INDEX ix_statement_task ON statement (task_id)

CREATE TABLE access_journal (
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    body TEXT NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (seq)
)

CREATE TRIGGER statement_refuses_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END

CREATE TRIGGER statement_refuses_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END

CREATE TRIGGER access_journal_refuses_update BEFORE UPDATE ON access_journal BEGIN SELECT RAISE(ABORT, 'access_journal is append-only'); END

CREATE TRIGGER access_journal_refuses_delete BEFORE DELETE ON access_journal BEGIN SELECT RAISE(ABORT, 'access_journal is append-only'); END

CREATE INDEX ix_task_risk ON task (risk DESC, started DESC, id, agent, principal, repository, environment, state, verdict, assignee, vantages)

CREATE INDEX ix_task_environment ON task (environment, started DESC, id)

CREATE INDEX ix_task_state ON task (state, started DESC, id)

CREATE INDEX ix_task_verdict ON task (verdict)

CREATE INDEX ix_task_assignee ON task (assignee)

CREATE INDEX ix_finding_detection ON finding (blind_spot, detection, task_id)

CREATE INDEX ix_tally_owner ON tally (owner, task_id)

CREATE TABLE alert (
    finding_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (finding_id)
)

CREATE TABLE dropped_block (
    id INTEGER NOT NULL,
    size BIGINT NOT NULL,
    digest BLOB NOT NULL,
    records BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    "before" BIGINT NOT NULL,
    at BIGINT NOT NULL,
    "by" TEXT NOT NULL,
    PRIMARY KEY (id)
)

CREATE TABLE task_team (
    task_id TEXT NOT NULL,
    team TEXT NOT NULL,
    PRIMARY KEY (task_id, team)
)
 WITHOUT ROWID

CREATE INDEX ix_task_team_team ON task_team (team, task_id)

CREATE TABLE team_sight (
    login TEXT NOT NULL,
    team TEXT NOT NULL,
    PRIMARY KEY (login, team)
)
 WITHOUT ROWID

CREATE INDEX ix_task_principal_risk ON task (principal, started DESC, id, risk)

CREATE INDEX ix_task_repository_risk ON task (repository, started DESC, id, risk)

CREATE INDEX ix_task_vantages ON task (vantages)

CREATE TABLE dirty_point (
    epoch BIGINT NOT NULL,
    point TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (epoch, point, at)
)
 WITHOUT ROWID

CREATE TABLE clock_sum (
    point TEXT NOT NULL,
    apart BIGINT NOT NULL,
    pairs BIGINT NOT NULL,
    PRIMARY KEY (point, apart)
)

CREATE TABLE heard (
    point TEXT NOT NULL,
    until BIGINT NOT NULL,
    records BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (point, until)
)

INSERT INTO remit_schema VALUES ('0025')

INSERT INTO step_change VALUES (1, '', '')
