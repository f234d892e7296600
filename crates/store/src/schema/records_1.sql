-- Resources people and systems put here: Patient, Device, DeviceUseStatement.
CREATE TABLE resource (
    seq INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    body TEXT NOT NULL,                 -- FHIR JSON with meta
    UNIQUE (type, id)
);

-- Who wore what when, taken out of each DeviceUseStatement.
CREATE TABLE assignment (
    id TEXT PRIMARY KEY,                -- of the DeviceUseStatement
    version INTEGER NOT NULL,
    device TEXT NOT NULL,
    patient TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER,                     -- exclusive; null while it lasts
    active INTEGER NOT NULL             -- 0 once entered in error
) WITHOUT ROWID;
CREATE INDEX assignment_device ON assignment (device, start_ms);
CREATE INDEX assignment_patient ON assignment (patient);
