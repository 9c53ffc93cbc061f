"""The schema's history, applied in order by `deploy.migrations`."""
