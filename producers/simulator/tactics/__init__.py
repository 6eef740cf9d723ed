"""Ways to commit fraud: `tactic` is what they share, one file each, `catalogue` lists them."""
