-- Since when something that was counted for a channel waits to be claimed: for whoever watches that it does not for long.
ALTER TABLE channels ADD COLUMN unclaimed_since timestamptz;
UPDATE channels SET unclaimed_since = now() WHERE NOT is_claimed;
