-- One row per result; a corrected result is a new row and the old one stays as history.
CREATE TABLE assessment (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    patient TEXT NOT NULL,
    rule TEXT NOT NULL,
    effective_ms INTEGER NOT NULL,
    current INTEGER NOT NULL,           -- 1 for the one that stands
    status TEXT NOT NULL,
    value INTEGER,
    severity TEXT,
    created_ms INTEGER NOT NULL,
    body TEXT NOT NULL                  -- the assessment as the API shows it
);
CREATE UNIQUE INDEX assessment_current ON assessment (patient, rule, effective_ms) WHERE current = 1;
CREATE INDEX assessment_history ON assessment (patient, rule, effective_ms, seq);
CREATE INDEX assessment_id ON assessment (id);

-- What a patient needs differently, each change a version.
CREATE TABLE patient_settings (
    patient TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (patient, version)
) WITHOUT ROWID;
