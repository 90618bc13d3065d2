"""The formats of files of weights, one file for each."""
