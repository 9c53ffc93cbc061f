"""For the discipline office, administrators and auditors at their desks."""
