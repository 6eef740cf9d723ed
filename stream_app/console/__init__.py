"""The console: pages for people on what is scored, who decided what, and how well the models do."""
