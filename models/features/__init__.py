"""What a score is computed from: the feature set, card windows, terminal profiles, and the same kernels over a whole history."""
