"""What runs in an environment of its own: FOLDER, with the files to run; told.json and scores go there, too."""
