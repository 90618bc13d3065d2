"""What runs as a new process, from photos to a saved model: FOLDER BODY TRAIN VAL …, told.json in FOLDER."""
