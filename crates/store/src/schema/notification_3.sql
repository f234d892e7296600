-- Why a call about an open alert is held back, and where its patient lies.
ALTER TABLE alert ADD COLUMN held TEXT;
ALTER TABLE alert ADD COLUMN unit TEXT NOT NULL DEFAULT '';

-- Counts changes; those up to `published` were sent on as events.
ALTER TABLE alert ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN published INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alert_unpublished ON alert (seq) WHERE published < revision;

-- Until when a page is held back, if a clock can tell.
ALTER TABLE alert_held ADD COLUMN until_ms INTEGER;
CREATE INDEX alert_held_at ON alert_held (at_ms);

-- Every page and its reason.
CREATE TABLE alert_page (
    alert TEXT NOT NULL,
    page INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    patient TEXT NOT NULL,
    unit TEXT NOT NULL,
    severity TEXT,
    reason TEXT NOT NULL,               -- first, worsened, reopened, repeat, escalated, resolved, retracted
    calls INTEGER NOT NULL,             -- 1 when it calls somebody rather than calling it off
    leads INTEGER NOT NULL,             -- 0 when it went out inside another page's delivery
    receivers TEXT NOT NULL,            -- JSON: names
    PRIMARY KEY (alert, page)
) WITHOUT ROWID;
CREATE INDEX alert_page_unit ON alert_page (unit, at_ms);
CREATE INDEX alert_page_patient ON alert_page (patient, at_ms);

-- Silences people asked for.
CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,                 -- JSON
    created_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    ended_ms INTEGER,                   -- when somebody ended it early
    ended_by TEXT
) WITHOUT ROWID;
CREATE INDEX silence_until ON silence (until_ms);

-- The dead man's switch: one row per period.
CREATE TABLE heartbeat (
    period INTEGER PRIMARY KEY,         -- counts intervals since the epoch
    interval_ms INTEGER NOT NULL,
    delivery TEXT NOT NULL,
    receiver TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);
