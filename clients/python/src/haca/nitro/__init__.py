"""Attestation documents of AWS Nitro enclaves, judged as the contracts judge them."""
