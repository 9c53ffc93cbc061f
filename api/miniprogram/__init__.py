"""For cadres and inspectors on their phones."""
