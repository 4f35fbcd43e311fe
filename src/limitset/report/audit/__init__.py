"""The page of an audit: one file a topic, each from runs to a section."""
