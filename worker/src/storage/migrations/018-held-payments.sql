-- Payments that the escrow holds for results of this queue, and those that are to go back because there is no result.
CREATE TABLE held_payments (
  -- keccak256 of payer and nonce
  job_id text PRIMARY KEY,
  payer text NOT NULL,
  nonce numeric(78) NOT NULL,
  -- last second in which the permit opens the job, in unix seconds
  valid_until numeric(78) NOT NULL,
  -- the result that it is for; null: there is none, and it goes back
  request_id text REFERENCES jobs (request_id),
  -- none: it was never opened, and cannot be any more
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'captured', 'refunded', 'cancelled', 'none')),
  -- the call that cancels the job, with the job as the log of its opening has it: endpoints forget logs; null while unknown
  cancellation text,
  last_error text,
  -- not before this time is it looked at again
  look_after timestamptz NOT NULL DEFAULT now(),
  added_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX held_payments_open ON held_payments (look_after) WHERE state = 'open';
CREATE INDEX held_payments_request ON held_payments (request_id) WHERE request_id IS NOT NULL;
