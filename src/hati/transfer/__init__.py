"""A person's own classes, learnt from a person's own photos: from class means to full fine-tuning."""
