"""How files of weights come onto this machine and stay there: whole, checked, and found again."""
