-- Why each forecast is what it is, beside the signal that was made of it.

CREATE TABLE explanations (
    signal_id      TEXT PRIMARY KEY REFERENCES signals (id),
    document       TEXT NOT NULL
);
