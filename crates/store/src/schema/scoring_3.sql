-- Versions of the tenant's rule set; without a row the built-in one is in force.
CREATE TABLE rule_set (
    version INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);

-- When the next reading is due, per patient and absence rule; stays until what it caused is sent.
CREATE TABLE absence_due (
    patient TEXT NOT NULL,
    rule TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (patient, rule)
);
CREATE INDEX absence_due_time ON absence_due (due_ms);
