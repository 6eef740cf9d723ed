"""The console: pages for people on what is scored, how the models do, and what may be done about it.

`settings`, `console` (what every page is given), `app` (routes and their guard), `run` (the process). `people` says who
somebody is and what they may do, `guard` what a request must be, `feed` reads Kafka once for all pages, `pages` are
thin handlers over `templates` and `static`.
"""
