#pragma once

#include <cstddef>
#include <span>

#include "ldm/image/image.h"

namespace ldm {

// A picture as its file stores it, and how to turn it: see exif_orientation.
struct DecodedImage {
  Image image;
  int orientation = 1;
};

// Tag 0x0112 of IFD0 in a TIFF block, with or without "Exif\0\0" before it. 1 if it is absent, outside 1..8
// or the block is damaged: metadata never makes a picture unreadable.
int exif_orientation(std::span<const std::byte> exif);

// Turns and mirrors as orientation 1..8 of the EXIF standard asks, so that row 0 is the visual top.
Image apply_orientation(const Image& image, int orientation);

}  // namespace ldm
