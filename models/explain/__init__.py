"""Contributions of features to a score, in log-odds.

`tree_shap` explains boosted trees, in vector registers that `lanes` gives to numba, `linear` logistic regression;
`explainer` chooses between them, `largest` picks the reasons.
"""
