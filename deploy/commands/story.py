"""The whole job played without a person."""


def story() -> None:
    """Play the main job to its end; the exit status says whether it held."""
