"""For other platforms, which feed data in with service tokens."""
