"""Random schedules of faults against the product's own processes: nothing may be lost, nobody told twice.

`python -m tests.faults` plays hundreds (`make faults`); a small set of the same runs with the other tests.
"""
