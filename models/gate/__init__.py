"""Is a new model better than the one in use? Every check is named, with its figure, its limit and its verdict."""
