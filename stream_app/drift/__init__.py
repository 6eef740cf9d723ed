"""The drift stream for people: `stream` reads findings and retrain requests from Kafka, `story` says them in words."""
