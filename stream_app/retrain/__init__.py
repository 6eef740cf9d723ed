"""`fraudstream retrain`: takes retrain requests, trains, gates, and brings what passed into use."""
