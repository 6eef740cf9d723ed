"""What a process tells of its work: `logs`, `log_lines`, `about` for lines, `traces` for spans."""
