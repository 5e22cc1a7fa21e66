-- Pages that others have proposed, as the roles watch and validate see them.

-- Blocks up to which events were read, the youngest last: where one is not there any more, the chain was reorganised.
CREATE TABLE followed_blocks (
  number bigint PRIMARY KEY,
  hash text NOT NULL
);

CREATE TABLE watched_pages (
  page_id text PRIMARY KEY,
  -- of the proposal
  block_number bigint NOT NULL,
  -- the header, which the contract knows only by its hash
  kind smallint NOT NULL,
  tee_id text NOT NULL,
  ledger_page numeric(78) NOT NULL,
  bitmap numeric(78) NOT NULL,
  root text NOT NULL,
  blob_id text NOT NULL,
  proposer text NOT NULL,
  fee numeric(29) NOT NULL,
  -- as the contract said at the last look; unix seconds
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'final', 'rejected', 'disproved', 'released')),
  ends_at numeric(78) NOT NULL,
  -- as `PageSettlement` has them, where a quorum vouched for it
  attested_at bigint,
  signers integer,
  -- whose account got the reward where it was refuted
  refuted_by text,
  -- the blob, as long as something can be shown against the page: a store may lose it
  content text,
  -- unjudged: read, and the endpoint did not judge all of it
  verdict text NOT NULL DEFAULT 'unread' CHECK (verdict IN ('unread', 'unreadable', 'unjudged', 'good', 'bad')),
  unreadable_since timestamptz,
  last_error text,
  looked_at timestamptz,
  judged_at timestamptz,
  -- not before these times is the page looked at again, signed, peers asked for their signatures, and signers slashed
  look_after timestamptz NOT NULL DEFAULT now(),
  sign_after timestamptz NOT NULL DEFAULT now(),
  collect_after timestamptz NOT NULL DEFAULT now(),
  slash_after timestamptz DEFAULT now(),
  -- nothing can become of it any more, as deep as reorganisations are watched for
  closed_at timestamptz
);
CREATE INDEX watched_pages_due ON watched_pages (look_after) WHERE closed_at IS NULL;
CREATE INDEX watched_pages_refuted ON watched_pages (slash_after) WHERE state IN ('rejected', 'disproved');
CREATE INDEX watched_pages_attested ON watched_pages (attested_at) WHERE attested_at IS NOT NULL;

-- Challenges. The salt is here before the commitment leaves, so that whoever comes next can make the challenge.
CREATE TABLE page_challenges (
  page_id text PRIMARY KEY,
  place smallint NOT NULL,
  reason text NOT NULL,
  -- the leaf with its way to the root, JSON
  leaf text NOT NULL,
  challenger text NOT NULL,
  salt text NOT NULL,
  commitment text NOT NULL,
  -- withdrawn: the contract finds nothing wrong any more
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'won', 'forestalled', 'late', 'withdrawn')),
  made_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX page_challenges_open ON page_challenges (made_at) WHERE state = 'open';

-- Leaves, and proofs of leaves, that somebody waits for.
CREATE TABLE leaf_requests (
  page_id text NOT NULL,
  place smallint NOT NULL,
  wants text NOT NULL CHECK (wants IN ('leaf', 'proof')),
  block_number bigint NOT NULL,
  requester text NOT NULL,
  -- last second for an answer, in unix seconds
  deadline numeric(78) NOT NULL,
  -- given, returned, or its page ended by it
  ended_at timestamptz,
  PRIMARY KEY (page_id, place, wants, block_number)
);
CREATE INDEX leaf_requests_open ON leaf_requests (deadline) WHERE ended_at IS NULL;

-- Leaves of optimistic pages of which a proof is to be demanded: there is none of one that is wrong.
CREATE TABLE doubted_leaves (
  page_id text NOT NULL,
  place smallint NOT NULL,
  -- the model answers otherwise; false: there is nothing to run it on
  is_wrong boolean NOT NULL,
  reason text NOT NULL,
  doubted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (page_id, place)
);

-- Sets of validators, as they were frozen for epochs.
CREATE TABLE snapshots (
  epoch bigint PRIMARY KEY,
  block_number bigint NOT NULL,
  words text[] NOT NULL
);

-- Signatures for pages: this validator's own, here before they leave, and its peers', checked before they are here.
CREATE TABLE attestations (
  page_id text NOT NULL,
  key text NOT NULL,
  signature text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (page_id, key)
);

-- What one process does at a time, by its name, until a time at the latest.
CREATE TABLE duties (
  name text PRIMARY KEY,
  until timestamptz NOT NULL
);
