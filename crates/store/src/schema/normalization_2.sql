-- Whether a mapping set chooses messages by device type or sender, so that those that do not need no look.
ALTER TABLE mapping ADD COLUMN chooses INTEGER NOT NULL DEFAULT 0;
-- What the version was made by, when not by sending a document: 'rollback to 3'.
ALTER TABLE mapping ADD COLUMN note TEXT;

-- The patient a message names. An Observation is never filed to another one.
ALTER TABLE observation ADD COLUMN claim TEXT;
-- The window of mapped readings an Observation is made of; null when one message made it.
ALTER TABLE observation ADD COLUMN made_of TEXT;
CREATE INDEX observation_made_of ON observation (made_of) WHERE made_of IS NOT NULL;

-- Measurements that a FHIR mapping makes Observations of. Those of one window become one Observation,
-- whatever messages they came in and in whatever order: it is made anew of all of them.
CREATE TABLE mapped_reading (
    made_of TEXT NOT NULL,              -- digest of mapping set, device, type and window
    occurred INTEGER NOT NULL,          -- 100 ns since 1970
    message TEXT NOT NULL,
    place INTEGER NOT NULL,             -- order within the message
    device TEXT NOT NULL,
    occurred_ms INTEGER NOT NULL,
    wearer TEXT,                        -- who wore the device then, when the Observation was last made
    body TEXT NOT NULL,                 -- JSON: the measurement
    PRIMARY KEY (made_of, occurred, message, place)
) WITHOUT ROWID;
CREATE INDEX mapped_reading_device ON mapped_reading (device, occurred_ms);
