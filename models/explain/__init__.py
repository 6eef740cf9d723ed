"""Contributions of features to a score, in log-odds: `tree_shap` for boosted trees, `linear` for logistic regression."""
