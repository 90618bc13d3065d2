"""PyTorch, on hati's graph as its module: FOLDER PHOTO."""

import sys
from pathlib import Path

import torch

from side_by_side.first_answers.reading import picture
from side_by_side.peers.in_torch import module

with torch.inference_mode():
    scores = module(Path(sys.argv[1]))(torch.from_numpy(picture(sys.argv[2])))
print(scores[0].argsort(descending=True)[:3])
