"""TFLite: a graph in the words of phones and small boards, the file that holds it, and LiteRT, which runs it."""
