-- What the facilitator was given to settle for others, and the calls that it makes of it.
CREATE TABLE relayed_calls (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('batch', 'individual')),
  -- formed: its submissions are fixed; stored: the blob was read back; sent: a transaction is recorded
  state text NOT NULL DEFAULT 'formed' CHECK (state IN ('formed', 'stored', 'sent', 'settled', 'failed')),
  size integer NOT NULL,
  -- of a batch: what its blob has to have
  merkle_root text,
  blob_id text,
  transaction_hash text,
  failure text,
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  -- not before this time is the call leased again
  run_after timestamptz NOT NULL DEFAULT now(),
  leased_by text,
  leased_until timestamptz,
  -- when the blob was stored, or stored again, to be kept for some more epochs
  stored_at timestamptz,
  formed_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((kind = 'batch') = (merkle_root IS NOT NULL)),
  CHECK (state IN ('formed', 'failed') OR blob_id IS NOT NULL),
  CHECK (state <> 'failed' OR failure IS NOT NULL)
);
CREATE INDEX relayed_calls_open ON relayed_calls (id) WHERE state NOT IN ('settled', 'failed');
CREATE INDEX relayed_calls_stored ON relayed_calls (stored_at) WHERE state = 'settled';

CREATE TABLE submissions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id text NOT NULL UNIQUE,
  kind text NOT NULL CHECK (kind IN ('batch', 'individual')),
  tee_id text NOT NULL,
  input_hash text NOT NULL,
  output_hash text NOT NULL,
  tee_timestamp numeric(78) NOT NULL,
  tee_signature text NOT NULL,
  -- what the enclave signed
  message_hash text NOT NULL,
  -- of an individual submission: JSON of request and answer, and whose it is
  input text,
  output text,
  eth_address text,
  call_id bigint REFERENCES relayed_calls (id),
  accepted_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (kind, tee_id, message_hash),
  CHECK ((kind = 'individual') = (eth_address IS NOT NULL))
);
CREATE INDEX submissions_waiting ON submissions (kind, id) WHERE call_id IS NULL;
CREATE INDEX submissions_call ON submissions (call_id);
CREATE INDEX submissions_accepted ON submissions (accepted_at);
