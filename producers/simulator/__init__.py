"""A simulated bank: who pays where (`population`), ordinary days, and fraud on a timetable (`script`, `tactics`).

`simulation` puts days together; `truth`, `statements` and `history` say what was fraud.
"""
