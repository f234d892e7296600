-- Every message as received, until the stages behind have all taken it.
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,               -- of device and content: tells a repeat from a conflict
    device TEXT,                        -- named by message or token; null when only a mapping can tell
    allowed TEXT NOT NULL,              -- JSON: device ids and patterns the credential speaks for
    source TEXT,                        -- ?source=
    body TEXT NOT NULL,                 -- JSON as received; the raw text when it is not JSON
    received_ms INTEGER NOT NULL,
    state TEXT NOT NULL,                -- pending, done, dead, rejected
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL,            -- not tried before this
    problem TEXT                        -- JSON problem: why rejected or dead, or the last failure
);
CREATE INDEX inbox_due ON inbox (due_ms, seq) WHERE state = 'pending';
CREATE INDEX inbox_dead ON inbox (seq) WHERE state IN ('dead', 'rejected');

-- Who is moving messages on right now.
CREATE TABLE relay (
    lane INTEGER PRIMARY KEY,
    lease_until_ms INTEGER NOT NULL
);

-- Bearer tokens of devices and gateways, hashed.
CREATE TABLE device_credential (
    id TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    label TEXT,
    allowed TEXT NOT NULL,              -- JSON: device ids and patterns
    token_sha256 TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
);
CREATE INDEX device_credential_device ON device_credential (device);
