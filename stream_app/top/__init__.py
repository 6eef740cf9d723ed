"""The system at a glance in a terminal: `look` reads, `picture` holds what was found, `screen` draws it."""
