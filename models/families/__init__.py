"""Families of models behind one interface: `base` states it, `catalogue` lists them, `tree_ensemble` is what the tree families share."""
