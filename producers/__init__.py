"""What a bank would send: simulated transactions with scripted fraud, a replayed file, late labels."""
