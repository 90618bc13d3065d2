"""hati beside its peers: the same networks, weights and photos, each library in an environment of its own, in turns.

`python -m side_by_side` is the driver; `worker` runs in each peer's own Python, where neither hati nor rich need be.
"""
