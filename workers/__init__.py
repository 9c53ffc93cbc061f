"""What happens by itself: promises that are due, sweeps, pushes."""

import os

# numpy's BLAS reserves memory for each core it sees, which on a large machine is more than a drawing process may have
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
