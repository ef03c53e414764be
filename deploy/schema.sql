-- The tables of the download backend, for PostgreSQL. `keyfront shop migrate` makes the same.
-- Written by: keyfront shop migrate --sql --database postgresql://

BEGIN;

CREATE TABLE keyfront_schema (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT keyfront_schema_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE IF NOT EXISTS customers (
    id VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS items (
    id VARCHAR(128) NOT NULL,
    title TEXT NOT NULL,
    key TEXT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    author TEXT NOT NULL,
    description TEXT NOT NULL,
    size BIGINT NOT NULL,
    price_cents INTEGER NOT NULL,
    currency VARCHAR(3) NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS purchases (
    customer_id VARCHAR(255) NOT NULL,
    item_id VARCHAR(128) NOT NULL,
    bought_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (customer_id, item_id),
    FOREIGN KEY(customer_id) REFERENCES customers (id) ON DELETE CASCADE,
    FOREIGN KEY(item_id) REFERENCES items (id) ON DELETE CASCADE
);

CREATE INDEX IF NOT EXISTS ix_purchases_item_id ON purchases (item_id);

INSERT INTO keyfront_schema (version_num) VALUES ('0001') RETURNING keyfront_schema.version_num;

COMMIT;
