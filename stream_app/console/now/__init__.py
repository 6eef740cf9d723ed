"""How the system is doing this second: what was looked at, what it means in one sentence, and who looks."""
