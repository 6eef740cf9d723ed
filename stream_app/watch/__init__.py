"""The process `fraudstream watch`: what scoring must be told, and what people must be told about scoring.

`profiles` keeps the terminal profiles, `history` measures the models and looks for drift. They share the Faust app
(`app`), the `settings`, the `dead_letters` and the web `pages`.
"""
