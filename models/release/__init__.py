"""How a new model comes into use: who scores beside the champion, what is watched, when it goes on or back.

- `placement`: which models score beside the champion, and for whom one of them decides.
"""
