"""What a block's state shows of a receipt."""
