"""PyTorch, where it is installed: a graph as a module of it, as a program, and running."""
