#include "ldm/data/emoji_font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <hb-ft.h>
#include <hb.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/emoji_names.h"

namespace ldm {

// The font's bytes must outlive the face, and the face the HarfBuzz font.
struct EmojiFont::Handles {
  std::vector<std::byte> bytes;
  FT_Library library = nullptr;
  FT_Face face = nullptr;
  hb_font_t* font = nullptr;
  hb_buffer_t* buffer = nullptr;

  ~Handles() {
    if (buffer) hb_buffer_destroy(buffer);
    if (font) hb_font_destroy(font);
    if (face) FT_Done_Face(face);
    if (library) FT_Done_FreeType(library);
  }
};

namespace {

// Premultiplied BGRA over white: c + (255 - a).
Image over_white(const FT_Bitmap& bitmap) {
  Image out;
  out.width = bitmap.width;
  out.height = bitmap.rows;
  out.channels = 3;
  out.pixels.reserve(static_cast<size_t>(3 * out.width * out.height));
  for (int64_t y = 0; y < out.height; ++y) {
    const uint8_t* pixel = bitmap.buffer + y * bitmap.pitch;
    for (int64_t x = 0; x < out.width; ++x, pixel += 4) {
      const int rest = 255 - pixel[3];
      for (int c : {2, 1, 0}) out.pixels.push_back(static_cast<uint8_t>(std::min(255, pixel[c] + rest)));
    }
  }
  return out;
}

// Premultiplied BGRA to straight RGBA.
Image straight_alpha(const FT_Bitmap& bitmap) {
  Image out = make_image(bitmap.width, bitmap.rows, 4);
  for (int64_t y = 0; y < out.height; ++y) {
    const uint8_t* pixel = bitmap.buffer + y * bitmap.pitch;
    uint8_t* to = out.row(y);
    for (int64_t x = 0; x < out.width; ++x, pixel += 4, to += 4) {
      const int alpha = pixel[3];
      for (int c = 0; c < 3; ++c) {
        const int value = alpha == 0 ? 0 : (255 * pixel[2 - c] + alpha / 2) / alpha;
        to[c] = static_cast<uint8_t>(std::min(255, value));
      }
      to[3] = pixel[3];
    }
  }
  return out;
}

// The glyph's bitmap, which lives until the next one is loaded.
const FT_Bitmap& load_emoji(FT_Face face, hb_font_t* font, hb_buffer_t* buffer,
                            std::u32string_view code_points) {
  hb_buffer_clear_contents(buffer);
  const auto count = static_cast<int>(code_points.size());
  hb_buffer_add_utf32(buffer, reinterpret_cast<const uint32_t*>(code_points.data()), count, 0, count);
  hb_buffer_guess_segment_properties(buffer);
  hb_shape(font, buffer, nullptr, 0);
  unsigned int glyphs = 0;
  const hb_glyph_info_t* info = hb_buffer_get_glyph_infos(buffer, &glyphs);
  const auto require = [&](bool ok, std::string_view expected) {
    check(ok, ErrorKind::kData, "EmojiFont: expected ", expected, " for ", hex_name(code_points),
          "; hint: the font may be older than emoji-test.txt");
  };
  require(glyphs == 1 && info[0].codepoint != 0, "one glyph");
  require(FT_Load_Glyph(face, info[0].codepoint, FT_LOAD_COLOR) == 0, "a readable glyph");
  const FT_Bitmap& bitmap = face->glyph->bitmap;
  require(bitmap.pixel_mode == FT_PIXEL_MODE_BGRA && bitmap.pitch > 0, "a coloured bitmap");
  return bitmap;
}

}  // namespace

EmojiFont::EmojiFont(std::vector<std::byte> bytes) : handles_(std::make_unique<Handles>()) {
  Handles& h = *handles_;
  h.bytes = std::move(bytes);
  check(FT_Init_FreeType(&h.library) == 0, ErrorKind::kInternal, "EmojiFont: FreeType does not start");
  const auto* data = reinterpret_cast<const FT_Byte*>(h.bytes.data());
  const bool opened =
      FT_New_Memory_Face(h.library, data, static_cast<FT_Long>(h.bytes.size()), 0, &h.face) == 0;
  check(opened, ErrorKind::kFormat, "EmojiFont: expected a TrueType font, got ", h.bytes.size(),
        " other bytes");
  check(FT_HAS_COLOR(h.face) && h.face->num_fixed_sizes > 0 && FT_Select_Size(h.face, 0) == 0,
        ErrorKind::kFormat,
        "EmojiFont: expected a font with colour bitmaps; hint: NotoColorEmoji.ttf of the 2.0xx (CBDT) "
        "releases");
  h.font = hb_ft_font_create(h.face, nullptr);
  h.buffer = hb_buffer_create();
  check(hb_buffer_allocation_successful(h.buffer), ErrorKind::kInternal,
        "EmojiFont: HarfBuzz does not start");
}

EmojiFont::~EmojiFont() = default;
EmojiFont::EmojiFont(EmojiFont&&) noexcept = default;
EmojiFont& EmojiFont::operator=(EmojiFont&&) noexcept = default;

Image EmojiFont::draw(std::u32string_view code_points) const {
  const Handles& h = *handles_;
  return over_white(load_emoji(h.face, h.font, h.buffer, code_points));
}

Image EmojiFont::draw_transparent(std::u32string_view code_points) const {
  const Handles& h = *handles_;
  return straight_alpha(load_emoji(h.face, h.font, h.buffer, code_points));
}

}  // namespace ldm
