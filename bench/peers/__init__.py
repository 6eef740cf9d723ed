"""What a user would pick instead, doing the same work: same features, same model, same outputs."""
