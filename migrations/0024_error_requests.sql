-- Which request an error belongs to, so that it is found by the id that a page or a panel shows.

ALTER TABLE error_events ADD COLUMN request_id TEXT;

CREATE INDEX error_events_request ON error_events (request_id);
