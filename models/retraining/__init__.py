"""From a retrain request to a model: which rows, with which weights, three fits, the gate."""
