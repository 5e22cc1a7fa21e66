-- The token of a payment that is settled for others: what is under way of one takes nothing of a payer's balance of another.
-- Null: accepted when OPG was the only one.
ALTER TABLE payments ADD COLUMN token text;
