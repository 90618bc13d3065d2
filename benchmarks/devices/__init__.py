"""What hati exports for small devices: the answers, the sizes, and what other runtimes say of its files."""
