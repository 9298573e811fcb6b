#include "ldm/image/png.h"

#include <png.h>

#include <csetjmp>
#include <cstring>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// Everything a read needs. libpng leaves by longjmp, so functions that run under guarded_read hold no object
// with a destructor: buffers live here and grow only between the guarded steps.
struct PngReader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::byte> rest;
  char message[128] = "";
  std::vector<png_bytep> rows;

  PngReader() = default;
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

void on_error(png_structp png, png_const_charp message) {
  auto* text = static_cast<char*>(png_get_error_ptr(png));
  std::strncpy(text, message, 127);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, size_t size) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (reader.rest.size() < size) png_error(png, "the file ends early");
  std::memcpy(out, reader.rest.data(), size);
  reader.rest = reader.rest.subspan(size);
}

// Runs `step`; an error of libpng inside it becomes an Error here, after the jump.
void guarded_read(PngReader& reader, void (*step)(PngReader&)) {
  if (setjmp(png_jmpbuf(reader.png))) fail(ErrorKind::kFormat, "read_png: ", reader.message);
  step(reader);
}

void read_header(PngReader& reader) {
  // Texts, profiles and the like are not needed for pixels: skipped unread, so that none can be a bomb.
  static const png_byte kSkipped[] = "iCCP\0iTXt\0sPLT\0tEXt\0zTXt";
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, kSkipped, 5);
  png_set_read_fn(reader.png, &reader, read_bytes);
  png_read_info(reader.png, reader.info);
}

void choose_output(PngReader& reader) {
  png_set_strip_16(reader.png);
  png_set_expand(reader.png);  // Palette to RGB, 1, 2, 4 bits to 8, tRNS to alpha.
  const int colour = png_get_color_type(reader.png, reader.info);
  const bool alpha = colour & PNG_COLOR_MASK_ALPHA || png_get_valid(reader.png, reader.info, PNG_INFO_tRNS);
  if (alpha && !(colour & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

void choose_samples(PngReader& reader) {
  png_set_packing(reader.png);  // 1, 2, 4 bits to a byte each, their values as they are.
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

void read_pixels(PngReader& reader) {
  png_read_image(reader.png, reader.rows.data());
  png_read_end(reader.png, reader.info);
}

int stored_orientation(const PngReader& reader) {
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  if (!png_get_eXIf_1(reader.png, reader.info, &size, &exif)) return 1;
  return exif_orientation(std::as_bytes(std::span(exif, size)));
}

struct PngSize {
  int64_t width = 0, height = 0;
};

// Reads the header and lets `choose` say in which form the pixels come.
PngSize open_png(PngReader& reader, std::span<const std::byte> bytes, const ImageLimits& limits,
                 void (*choose)(PngReader&)) {
  reader.rest = bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader.message, on_error, on_warning);
  check(reader.png != nullptr, ErrorKind::kInternal, "read_png: libpng did not start");
  reader.info = png_create_info_struct(reader.png);
  check(reader.info != nullptr, ErrorKind::kInternal, "read_png: libpng did not start");
  png_set_user_limits(reader.png, 0x7fffffff, 0x7fffffff);  // Ours come first, with their own message.
  guarded_read(reader, read_header);
  const PngSize size{png_get_image_width(reader.png, reader.info),
                     png_get_image_height(reader.png, reader.info)};
  check_image_size(size.width, size.height, limits, "read_png");
  guarded_read(reader, choose);
  return size;
}

// Rows of `stride` bytes from `pixels` on.
void fill_rows(PngReader& reader, uint8_t* pixels, int64_t height, int64_t stride) {
  check(png_get_rowbytes(reader.png, reader.info) == static_cast<size_t>(stride), ErrorKind::kInternal,
        "read_png: unexpected row size");
  for (int64_t y = 0; y < height; ++y) reader.rows.push_back(pixels + y * stride);
  guarded_read(reader, read_pixels);
}

}  // namespace

DecodedImage decode_png(std::span<const std::byte> bytes, const ImageLimits& limits) {
  PngReader reader;
  const auto [width, height] = open_png(reader, bytes, limits, choose_output);
  DecodedImage out{make_image(width, height, png_get_channels(reader.png, reader.info)), 1};
  fill_rows(reader, out.image.pixels.data(), height, out.image.stride());
  out.orientation = stored_orientation(reader);
  return out;
}

PngSamples decode_png_samples(std::span<const std::byte> bytes, const ImageLimits& limits) {
  PngReader reader;
  const auto [width, height] = open_png(reader, bytes, limits, choose_samples);
  PngSamples out{.width = width,
                 .height = height,
                 .channels = png_get_channels(reader.png, reader.info),
                 .bytes_each = png_get_bit_depth(reader.png, reader.info) / 8};
  const int64_t stride = width * out.channels * out.bytes_each;
  out.bytes.resize(static_cast<size_t>(height * stride));
  fill_rows(reader, out.bytes.data(), height, stride);
  out.orientation = stored_orientation(reader);
  return out;
}

}  // namespace ldm
