"""What each line looks at: the message, the evidence, the chain."""
