"""How a ranking of transactions by fraud score is measured.

`ranking`: one figure from one set of rows. `handbook`: which rows and days, by the Fraud Detection Handbook's protocol.
"""
