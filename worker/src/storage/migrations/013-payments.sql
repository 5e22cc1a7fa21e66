-- Payments by x402 that the facilitator was given to settle.
CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- at random: who was not told of a payment finds none
  job_id text NOT NULL UNIQUE,
  -- what authorises it, and can be used once: a signature of EIP-3009 or of Permit2, and the number under it
  method text NOT NULL CHECK (method IN ('transfer', 'permit2')),
  payer text NOT NULL,
  nonce numeric(78) NOT NULL,
  -- of all that was brought: something else under the same number is no repetition of it
  content_hash text NOT NULL,
  scheme text NOT NULL,
  receiver text NOT NULL,
  amount numeric(78) NOT NULL,
  -- first second in which the chain takes it no more, in unix seconds
  valid_until numeric(79) NOT NULL,
  -- the call that settles it
  target text NOT NULL,
  calldata text NOT NULL,
  -- head of the chain when it was accepted: nobody had used the authorization by then
  accepted_block bigint NOT NULL,
  -- sent: a transaction is recorded
  state text NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'sent', 'settled', 'failed')),
  transaction_id bigint REFERENCES transactions (id),
  -- what was mined: our transaction, settled or reverted, or somebody else's that has settled it
  transaction_hash text,
  block_number bigint,
  block_hash text,
  failure text,
  last_error text,
  -- somebody has the job's id, and may ask
  is_promised boolean NOT NULL DEFAULT false,
  -- its success was answered to a client: to one, once
  told_at timestamptz,
  -- not before this time is it tried again
  run_after timestamptz NOT NULL DEFAULT now(),
  accepted_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- its block is deeper than any reorganisation that is watched for
  finalised_at timestamptz,
  UNIQUE (method, payer, nonce),
  CHECK (state <> 'sent' OR transaction_id IS NOT NULL),
  CHECK (state <> 'settled' OR transaction_hash IS NOT NULL AND block_number IS NOT NULL),
  CHECK (state <> 'failed' OR failure IS NOT NULL),
  CHECK ((block_number IS NULL) = (block_hash IS NULL))
);
CREATE INDEX payments_open ON payments (run_after, id) WHERE state IN ('accepted', 'sent');
CREATE INDEX payments_payer ON payments (payer) WHERE state IN ('accepted', 'sent');
CREATE INDEX payments_watched ON payments (block_number) WHERE block_number IS NOT NULL AND finalised_at IS NULL;
CREATE INDEX payments_transaction ON payments (transaction_id);
