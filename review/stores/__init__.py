"""Looking after a store and sharing it: teams and roles, exports, reviews as files, retention, upkeep."""
