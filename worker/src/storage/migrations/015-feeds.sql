-- Which machine looks after a feed at the moment, of those that share the database: one posts at a time.
CREATE TABLE feed_leases (
  feed_id text PRIMARY KEY,
  leased_by text NOT NULL,
  leased_until timestamptz NOT NULL
);
