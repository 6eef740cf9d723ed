"""Thin handlers, a module per page, each with `routes(console)`."""
