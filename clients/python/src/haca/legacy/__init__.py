"""Receipts of the profile ``legacy``, which is the public network's."""
