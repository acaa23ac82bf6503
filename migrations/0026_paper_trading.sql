-- Paper trading: portfolios of paper money, orders, and what became of both. No broker knows of any of
-- it. All of it goes when the person is forgotten; what the audit has of it stays. A program that does
-- not know these tables leaves them when it forgets somebody, and the next one that does removes them
-- before it applies a session. Times are microseconds of Unix time.

CREATE TABLE paper_portfolios (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL REFERENCES accounts (id),
    -- Raised by whatever changes the portfolio or one of its orders; who does so names the one that they
    -- have seen, so that of several processes one applies a session.
    revision      BIGINT NOT NULL,
    opened_at_us  BIGINT NOT NULL,
    closed_at_us  BIGINT,
    -- A JSON object: name, terms, cash, positions, and the last session that was applied.
    document      TEXT NOT NULL
);

CREATE INDEX paper_portfolios_account ON paper_portfolios (account, opened_at_us);

CREATE TABLE paper_orders (
    id            TEXT PRIMARY KEY,
    portfolio     TEXT NOT NULL REFERENCES paper_portfolios (id) ON DELETE CASCADE,
    account       TEXT NOT NULL REFERENCES accounts (id),
    symbol        TEXT NOT NULL,
    placed_at_us  BIGINT NOT NULL,
    -- 1 while a session may execute it, 0 afterwards.
    is_open       BIGINT NOT NULL,
    -- The key of its owner, under which it is placed once.
    client_key    TEXT,
    document      TEXT NOT NULL,
    UNIQUE (account, client_key)
);

CREATE INDEX paper_orders_account ON paper_orders (account, placed_at_us);

CREATE INDEX paper_orders_open ON paper_orders (is_open, portfolio);

CREATE INDEX paper_orders_placed_at ON paper_orders (placed_at_us);

-- What sessions did to a portfolio, from one on. Rows are never changed; they go with the person.
CREATE TABLE paper_events (
    portfolio     TEXT NOT NULL REFERENCES paper_portfolios (id) ON DELETE CASCADE,
    seq           BIGINT NOT NULL,
    day           TEXT NOT NULL,
    -- The order that was executed or has expired.
    order_id      TEXT,
    document      TEXT NOT NULL,
    PRIMARY KEY (portfolio, seq)
);

CREATE INDEX paper_events_order ON paper_events (order_id);

-- The value at the closes of each session that was applied.
CREATE TABLE paper_days (
    portfolio     TEXT NOT NULL REFERENCES paper_portfolios (id) ON DELETE CASCADE,
    day           TEXT NOT NULL,
    document      TEXT NOT NULL,
    PRIMARY KEY (portfolio, day)
);

-- The number of the newest change of each person's portfolios and orders: what live streams look at.
-- Not in personal_marks, where programs that do not know them would not know the topic.
CREATE TABLE paper_marks (
    account       TEXT PRIMARY KEY REFERENCES accounts (id),
    mark          BIGINT NOT NULL
);

CREATE INDEX paper_marks_mark ON paper_marks (mark);

-- Whether orders are taken; no row before anybody has halted trading.
CREATE TABLE trading_halt (
    id             BIGINT PRIMARY KEY CHECK (id = 1),
    -- 1 while trading is halted.
    is_halted      BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    changed_at_us  BIGINT NOT NULL,
    -- Who changed it last, as the audit writes them.
    changed_by     TEXT NOT NULL
);

CREATE TRIGGER paper_events_are_not_changed BEFORE UPDATE ON paper_events
BEGIN
    SELECT RAISE(ABORT, 'what sessions did is never changed');
END;

CREATE TRIGGER paper_days_are_not_changed BEFORE UPDATE ON paper_days
BEGIN
    SELECT RAISE(ABORT, 'what sessions did is never changed');
END;
