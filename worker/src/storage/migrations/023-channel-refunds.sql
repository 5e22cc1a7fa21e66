-- What payers of channels have asked to have back of them before a withdrawal's delay, by their gateways: the last of each channel.
CREATE TABLE channel_refunds (
  channel_id text PRIMARY KEY,
  -- of the gateway's orders for the channel: an older one comes late, and is none
  number bigint NOT NULL,
  gate text NOT NULL,
  payer text NOT NULL,
  payer_authorizer text NOT NULL,
  token text NOT NULL,
  withdraw_delay bigint NOT NULL,
  salt text NOT NULL,
  -- what stays in the channel at least: what was charged of it
  kept numeric(39) NOT NULL,
  -- of the rest; null: all of it
  most numeric(39),
  -- open: nothing was sent; sent: once, and never again; mined: as deep as nothing is noted of it yet; done; refused: nothing was sent
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sent', 'mined', 'done', 'refused')),
  transaction_hash text,
  mined_block bigint,
  -- why it was refused, or is not known to have been made
  error text,
  look_after timestamptz NOT NULL DEFAULT now(),
  ordered_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX channel_refunds_open ON channel_refunds (look_after) WHERE state IN ('open', 'sent', 'mined');
