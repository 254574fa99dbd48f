"""What can be listed and shown of a store: the filter language, listings, walks, lifelines, and all of it as sentences."""
