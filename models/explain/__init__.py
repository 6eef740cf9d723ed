"""Contributions of features to a score, in log-odds.

`tree_shap` explains boosted trees, `linear` logistic regression, `explainer` chooses between them.
"""
