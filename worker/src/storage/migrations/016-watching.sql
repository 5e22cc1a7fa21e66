-- The second result that an enclave or a node signed for the leaf's request, with its signature: JSON. Null where the leaf is wrong by itself.
ALTER TABLE page_challenges ADD COLUMN other text;

-- Unix seconds, as of the last look: until when leaves can be asked for, and until when a quorum makes the page final earlier.
ALTER TABLE watched_pages ADD COLUMN last_request numeric(78), ADD COLUMN short_until numeric(78);

-- Smallest units of OPG that whoever asked put down.
ALTER TABLE leaf_requests ADD COLUMN deposit numeric(78) NOT NULL DEFAULT 0;

-- Leaves that answers have shown, with their ways to the root: what is known of a page whose blob cannot be read.
CREATE TABLE shown_leaves (
  page_id text NOT NULL,
  place smallint NOT NULL,
  -- JSON
  leaf text NOT NULL,
  PRIMARY KEY (page_id, place)
);
