"""What the audit page says.

chain      the audit as it stands in Redis, and where it breaks
query      what is looked for, as a form sends it, and which records are that
found      a page of what was found, the newest first
"""
