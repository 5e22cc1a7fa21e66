-- Inputs of jobs whose `input_words` are a commitment: what the proof is made of, and nothing that is shown of a job. In a table of its own,
-- so that what reads a job does not read them.
CREATE TABLE hidden_inputs (
  request_id text PRIMARY KEY REFERENCES jobs (request_id) ON DELETE CASCADE,
  words text[] NOT NULL,
  -- the requester's; null where the model takes none
  salt text
);
