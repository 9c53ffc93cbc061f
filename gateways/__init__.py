"""The outside world: WeChat and the object store. Knows nothing of the concepts."""
