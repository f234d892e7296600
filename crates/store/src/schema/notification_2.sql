-- When a clock has to look at an alert again: its page goes out once more unless somebody answered.
ALTER TABLE alert ADD COLUMN due_ms INTEGER;
CREATE INDEX alert_due ON alert (due_ms) WHERE due_ms IS NOT NULL;

-- Transitions that late data showed never to have been, kept for whoever acted on them.
CREATE TABLE alert_revision (
    id TEXT PRIMARY KEY,
    alert TEXT NOT NULL,
    at_ms INTEGER NOT NULL,             -- when it came to light
    body TEXT NOT NULL                  -- JSON: the transitions as they were shown
) WITHOUT ROWID;
CREATE INDEX alert_revision_alert ON alert_revision (alert, at_ms);
