#!/usr/bin/env python3
"""Packs the merges of OpenAI's CLIP for ldm/text/clip_merges.cpp.

usage: pack_clip_merges.py merges.txt ldm/text/data/clip_merges.bin

merges.txt: 48894 lines "left right", as in bpe_simple_vocab_16e6.txt (lines 2 to 48895) or a tokenizer's merges.txt.
Each merge becomes two 16-bit little-endian numbers: the pieces left and right. Pieces 0-255 are the byte letters, 256-511
the same with "</w>", 512 + k what merge k makes; of equal pieces the first.
"""
import struct
import sys

COUNT = 49152 - 256 - 2


def byte_letters():
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in visible]
    return [chr(b) for b in visible] + [chr(256 + i) for i in range(len(hidden))]


def main(source, target):
    lines = [line.rstrip("\n") for line in open(source, encoding="utf-8")]
    if "#version" in lines[0]:
        lines = lines[1:]
    letters = byte_letters()
    pieces = {piece: i for i, piece in enumerate(letters + [letter + "</w>" for letter in letters])}
    packed = bytearray()
    for k, line in enumerate(lines[:COUNT]):
        left, right = line.split(" ")
        packed += struct.pack("<HH", pieces[left], pieces[right])
        pieces.setdefault(left + right, 512 + k)
    assert len(packed) == 4 * COUNT, f"expected {COUNT} merges, got {len(packed) // 4}"
    with open(target, "wb") as out:
        out.write(packed)


if __name__ == "__main__":
    main(*sys.argv[1:])
