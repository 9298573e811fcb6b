#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// A font of colour bitmaps such as Noto Color Emoji (one strike of 136x128 pixels), read with FreeType and
// HarfBuzz.
class EmojiFont {
 public:
  // `bytes` is the whole font file. A font without a colour strike is a format error.
  explicit EmojiFont(std::vector<std::byte> bytes);
  ~EmojiFont();
  EmojiFont(EmojiFont&&) noexcept;
  EmojiFont& operator=(EmojiFont&&) noexcept;

  // The picture of a sequence on white, RGB, in the strike's size. A sequence that the font cannot show as
  // exactly one coloured glyph is a data error.
  Image draw(std::u32string_view code_points) const;

  // The same with its transparency: RGBA, straight alpha.
  Image draw_transparent(std::u32string_view code_points) const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace ldm
