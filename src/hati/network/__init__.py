"""A network as a value: nodes and layers, what is made of them, and every architecture in these words."""
