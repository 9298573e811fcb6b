#!/usr/bin/env python3
"""Makes blocks.gguf (random blocks of every type) and blocks.safetensors (their values by the gguf package).

Needs: pip install gguf numpy safetensors. Run once; the results are in the repository.
"""
import gguf
import numpy as np
from gguf.quants import dequantize
from safetensors.numpy import save_file

HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
random = np.random.default_rng(3)
writer, values = gguf.GGUFWriter("blocks.gguf", "sd1"), {}
for name, halves in HALVES.items():
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (2, size), dtype=np.uint8)  # Two rows of one block.
    for at in halves:
        blocks[:, at:at + 2] = random.normal(0, 0.1, (2, 1)).astype(np.float16).view(np.uint8)
    writer.add_tensor(name, blocks, raw_dtype=kind)
    values[name] = dequantize(blocks, kind).astype(np.float32).reshape(2, elements)
halves = np.array([0, 1, -2.5, 6e-8, 65504, 6e-5], dtype=np.float16)
writer.add_tensor("F16", halves)
values["F16"] = halves.astype(np.float32)
writer.add_tensor("BF16", np.array([0x3F80, 0xC020], dtype=np.uint16).view(np.uint8).reshape(2, 2), raw_dtype=gguf.GGMLQuantizationType.BF16)
values["BF16"] = np.array([[1], [-2.5]], dtype=np.float32)
writer.add_tensor("F32", np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32))
values["F32"] = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
save_file(values, "blocks.safetensors")
