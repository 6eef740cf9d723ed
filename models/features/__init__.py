"""What a score is computed from: feature set, card windows, terminal profiles; the same kernels over a history."""
