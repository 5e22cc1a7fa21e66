-- The second result that an enclave or a node signed for the leaf's request, with its signature: JSON. Null where the leaf is wrong by itself.
ALTER TABLE page_challenges ADD COLUMN other text;
