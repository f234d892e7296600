-- One row per FHIR Observation made from a device message.
CREATE TABLE observation (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,            -- digest of device, code, time and source id or native value
    message TEXT NOT NULL,              -- the inbox id it came from
    device TEXT NOT NULL,
    patient TEXT,                       -- null while unassigned
    code TEXT NOT NULL,                 -- canonical name, or the type of a mapping
    codes TEXT NOT NULL,                -- every coding, for search: ' system|code system|code '
    effective_ms INTEGER NOT NULL,
    end_ms INTEGER,
    inputs TEXT NOT NULL,               -- JSON array of {code, value, unit}: exact values for scoring
    quality TEXT NOT NULL,              -- accepted, out-of-plausible-range, future-time, device-invalid
    mapping TEXT NOT NULL,              -- what made it: 'catalogue@1', '<mapping>@<version>'
    received_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    resource TEXT NOT NULL              -- the FHIR R4 Observation
);
CREATE INDEX observation_patient_code ON observation (patient, code, effective_ms);
CREATE INDEX observation_patient_time ON observation (patient, effective_ms, seq);
CREATE INDEX observation_device_time ON observation (device, effective_ms);
CREATE INDEX observation_message ON observation (message);

-- What became of each message: kept beside the inbox, which belongs to ingest.
CREATE TABLE message_outcome (
    message TEXT PRIMARY KEY,
    status TEXT NOT NULL,               -- normalized, rejected
    observations TEXT NOT NULL,         -- JSON array of observation ids, repeats included
    problem TEXT,                       -- JSON problem with every rejected value, its path and rule
    mapping TEXT,
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX message_outcome_rejected ON message_outcome (at_ms) WHERE problem IS NOT NULL;

-- Versions of mapping sets; the current one is the highest version with active = 1.
CREATE TABLE mapping (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    author TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) WITHOUT ROWID;

-- Which version of each assignment the observations have been filed by.
CREATE TABLE assignment_filed (
    assignment TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;

-- Observations filed to another patient that scoring has not been told of yet.
CREATE TABLE observation_moved (
    observation TEXT NOT NULL,
    was TEXT,                           -- the patient before; null when it was unassigned
    PRIMARY KEY (observation, was)
);
