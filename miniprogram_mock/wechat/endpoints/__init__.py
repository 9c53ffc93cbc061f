"""The HTTP surface, by who calls it: the backend (platform APIs), the phone, the test, the person watching."""
