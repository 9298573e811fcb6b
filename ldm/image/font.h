#pragma once

#include <cstdint>
#include <string_view>

#include "ldm/image/image.h"

namespace ldm {

// A built-in bitmap font: ASCII letters in cells of 6x9 pixels (5x8 and the gaps), times `scale`. Characters
// outside ASCII appear as boxes.
inline constexpr int64_t kGlyphWidth = 6;
inline constexpr int64_t kGlyphHeight = 9;

// Width in pixels of one line.
int64_t text_width(std::string_view utf8, int64_t scale = 1);

// Draws one line with its upper left corner at (x, y); what lies outside the picture is cut off. RGB pictures
// only (kUsage).
void draw_text(Image& image, int64_t x, int64_t y, std::string_view utf8, Rgb colour = kBlack,
               int64_t scale = 1);

// The same turned by 90 degrees, read from the bottom up; (x, y) is the lower left corner of the turned
// text's box.
void draw_text_upwards(Image& image, int64_t x, int64_t y, std::string_view utf8, Rgb colour = kBlack,
                       int64_t scale = 1);

}  // namespace ldm
