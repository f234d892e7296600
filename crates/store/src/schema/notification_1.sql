-- One alert per patient and cause; it opens again when the cause comes back.
CREATE TABLE alert (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    patient TEXT NOT NULL,
    cause TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    assessment TEXT,
    body TEXT NOT NULL,                 -- JSON: what the state machine needs to go on
    UNIQUE (patient, cause)
);
CREATE INDEX alert_status ON alert (status, updated_ms);

-- Every change, by data or by people, oldest first.
CREATE TABLE alert_transition (
    alert TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    place INTEGER NOT NULL,             -- order among transitions of one instant
    body TEXT NOT NULL,                 -- the transition as the API shows it, plus the state after it
    PRIMARY KEY (alert, at_ms, place)
) WITHOUT ROWID;

-- What people answered: never deleted, replayed when late data changes the past.
CREATE TABLE alert_answer (
    id TEXT PRIMARY KEY,                -- the Idempotency-Key or a digest
    alert TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,                 -- acknowledge, assign, comment, resolve
    by TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alert_answer_alert ON alert_answer (alert, at_ms);

-- Pages that were not sent, and why.
CREATE TABLE alert_held (
    id TEXT PRIMARY KEY,
    alert TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alert_held_alert ON alert_held (alert, at_ms);

-- Pages to send and sent.
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,            -- stable over retries: the receiver's idempotency key
    alert TEXT NOT NULL,
    receiver TEXT NOT NULL,
    body TEXT NOT NULL,                 -- JSON payload
    state TEXT NOT NULL,                -- pending, delivered, failed
    attempts INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL DEFAULT 0,
    delivered_ms INTEGER,
    last_error TEXT
);
CREATE INDEX delivery_due ON delivery (due_ms) WHERE state = 'pending';
CREATE INDEX delivery_alert ON delivery (alert, created_ms);

-- Versions of the policy; the highest is in force.
CREATE TABLE policy (
    version INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);
