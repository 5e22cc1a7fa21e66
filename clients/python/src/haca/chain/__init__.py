"""A chain as JSON-RPC endpoints say it is, by the standard library."""
