#!/usr/bin/env python3
"""Writes a Lightning checkpoint of random weights in a model's shapes, for bench/load_model.sh.

usage: ldm info configs/zoo/stable-diffusion/v1-inference.yaml --keys --json | random_checkpoint.py OUT.ckpt
"""
import json
import sys

import torch


def main(out):
    torch.manual_seed(1)
    shapes = {t["name"]: t["shape"] for t in json.load(sys.stdin)["tensors"]}
    weights = {name: torch.randn(shape).mul_(0.02) for name, shape in shapes.items()}
    torch.save({"epoch": 0, "global_step": 0, "state_dict": weights}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
