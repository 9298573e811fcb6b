#pragma once

#include <cstdint>
#include <utility>

#include "ldm/image/image.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// An edit's picture and mask laid out on the canvas.
struct EditCanvas {
  Image picture;  // RGB, transparency over white.
  Image mask;     // Grey: 255 is drawn anew, 0 is kept. Empty: all of it is drawn anew.
};

// Throws kUsage for a mask, feathering, margins or a strength without a picture; for numbers out of range;
// for a mask of other proportions than the picture's; for feathering without an edge to feather.
void check_edit(const EditRequest& edit);

// Width and height of the picture with its margins.
std::pair<int64_t, int64_t> edit_size(const EditRequest& edit);
// Width and height that a request asks for: its own, or those of its picture; 0: the model's.
std::pair<int64_t, int64_t> asked_size(const GenerateRequest& request);

// The picture fitted to the canvas less the margins: its middle part of those proportions, resized (Lanczos)
// unless it has that size. The margins continue its edges and are masked. Throws kUsage where the margins
// leave no room.
EditCanvas lay_out_edit(const EditRequest& edit, int64_t width, int64_t height);

// The strength that the request asks for, given or by default.
double edit_strength(const EditRequest& edit);

}  // namespace ldm
