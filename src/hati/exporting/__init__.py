"""A model as the file that a phone, a Raspberry Pi or a Coral runs, proved there before it is written."""
