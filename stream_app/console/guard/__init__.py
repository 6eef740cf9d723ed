"""What a request must be: signed in, allowed, sent by a page of ours; and what every answer carries."""
