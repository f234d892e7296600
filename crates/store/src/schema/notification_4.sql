-- Pages to one receiver about one patient stand in one lane and arrive in its order.
ALTER TABLE delivery ADD COLUMN lane TEXT NOT NULL DEFAULT '';
UPDATE delivery SET lane = COALESCE((SELECT a.patient FROM alert a WHERE a.id = delivery.alert), '');
CREATE INDEX delivery_lane ON delivery (receiver, lane, seq) WHERE state = 'pending';

-- What the receiver said when it took the page, and whose place a copy takes.
ALTER TABLE delivery ADD COLUMN receipt TEXT;
ALTER TABLE delivery ADD COLUMN fallback_of TEXT;
CREATE INDEX delivery_state ON delivery (state, created_ms);

-- The key of links that answer without login.
CREATE TABLE answer_key (
    id INTEGER PRIMARY KEY,
    secret TEXT NOT NULL                -- base64
);
