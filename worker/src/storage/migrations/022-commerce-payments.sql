-- Payments of jobs of operators of commerce payments, which the public escrow holds, beside those of the escrow.
-- The operator; null: the job is the escrow's.
ALTER TABLE held_payments ADD COLUMN operator text;
-- The job as callers bring it, encoded; null while it is not known. So far it was the call that cancels it, whose only argument
-- the job is: what is left without the selector.
ALTER TABLE held_payments RENAME COLUMN cancellation TO job;
UPDATE held_payments SET job = '0x' || substr(job, 11) WHERE job IS NOT NULL;
ALTER TABLE held_payments ADD CHECK (operator IS NULL OR job IS NOT NULL);
-- returned: an operator does not tell of a refund from a cancellation, nor of either from what the payer took back.
ALTER TABLE held_payments DROP CONSTRAINT held_payments_state_check;
ALTER TABLE held_payments ADD CONSTRAINT held_payments_state_check
  CHECK (state IN ('open', 'captured', 'refunded', 'cancelled', 'returned', 'none'));
