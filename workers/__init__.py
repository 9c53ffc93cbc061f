"""What happens by itself: promises that are due, sweeps, pushes."""
