"""The format ``haca-receipt/1`` (docs/receipts)."""
