-- Payment channels that results of this queue are paid by, each with the highest voucher that came.
CREATE TABLE channels (
  channel_id text PRIMARY KEY,
  -- receiver and authorizer of the channel
  gate text NOT NULL,
  payer text NOT NULL,
  payer_authorizer text NOT NULL,
  token text NOT NULL,
  withdraw_delay bigint NOT NULL,
  salt text NOT NULL,
  -- what may be claimed in all, and what the payer's side signed it with
  amount numeric(39) NOT NULL,
  signature text NOT NULL,
  -- how often results were counted for it: what was read before the last time says nothing of it
  counts integer NOT NULL DEFAULT 0,
  -- nothing that was counted waits to be claimed
  is_claimed boolean NOT NULL DEFAULT true,
  last_error text,
  -- not before this time is it looked at again
  look_after timestamptz NOT NULL DEFAULT now(),
  added_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX channels_due ON channels (look_after) WHERE NOT is_claimed;
-- Results that count for a channel.
CREATE TABLE channel_results (
  request_id text PRIMARY KEY REFERENCES jobs (request_id),
  channel_id text NOT NULL REFERENCES channels (channel_id),
  -- waiting: nothing has become of its job yet; open: it is to be looked at; none: it does not count, and never will
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'open', 'counted', 'none')),
  -- when the gate refused for the first time to count it
  refused_at timestamptz,
  look_after timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX channel_results_open ON channel_results (look_after) WHERE state = 'open';
CREATE INDEX channel_results_channel ON channel_results (channel_id);
-- Opened in the commit in which something becomes of its job, so that those that wait are not walked until then.
CREATE FUNCTION open_channel_result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE channel_results SET state = 'open' WHERE request_id = NEW.request_id AND state = 'waiting';
  RETURN NULL;
END
$$;
CREATE TRIGGER open_channel_result AFTER UPDATE OF state ON jobs FOR EACH ROW
WHEN (NEW.state IN ('settled', 'failed') AND OLD.state <> NEW.state)
EXECUTE FUNCTION open_channel_result();
