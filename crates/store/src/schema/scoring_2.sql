-- The values scoring has taken up, one row per input: what every assessment is computed from.
-- Small and sorted by patient and input, so that the latest value before any instant is one seek.
CREATE TABLE score_input (
    patient TEXT NOT NULL,
    input TEXT NOT NULL,                -- canonical code of the value
    effective_ms INTEGER NOT NULL,
    observation TEXT NOT NULL,
    value TEXT NOT NULL,                -- a decimal number or a code, in the unit of its input
    PRIMARY KEY (patient, input, effective_ms, observation)
) WITHOUT ROWID;
