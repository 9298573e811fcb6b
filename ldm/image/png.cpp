#include "ldm/image/png.h"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <new>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

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

struct PngWriter {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const Image* image = nullptr;
  std::vector<PngTextChunk> texts;
  std::vector<std::byte> out;
  bool out_of_memory = false;
  char message[128] = "";

  PngWriter() = default;
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

void append_bytes(PngWriter& writer, png_const_bytep data, size_t size) noexcept {
  try {
    const auto* first = reinterpret_cast<const std::byte*>(data);
    writer.out.insert(writer.out.end(), first, first + size);
  } catch (const std::bad_alloc&) {
    writer.out_of_memory = true;
  }
}

void write_bytes(png_structp png, png_bytep data, size_t size) {
  auto& writer = *static_cast<PngWriter*>(png_get_io_ptr(png));
  append_bytes(writer, data, size);
  if (writer.out_of_memory) png_error(png, "no memory for the file");
}

void write_all(PngWriter& writer) {
  const Image& image = *writer.image;
  const int colour = image.channels == 1   ? PNG_COLOR_TYPE_GRAY
                     : image.channels == 3 ? PNG_COLOR_TYPE_RGB
                                           : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_write_fn(writer.png, &writer, write_bytes, nullptr);
  png_set_user_limits(writer.png, 0x7fffffff, 0x7fffffff);
  png_set_compression_level(writer.png, 6);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8, colour, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (size_t i = 0; i < writer.texts.size(); ++i) {
    const PngTextChunk& text = writer.texts[i];
    png_write_chunk(writer.png, reinterpret_cast<png_const_bytep>(text.type.data()),
                    reinterpret_cast<png_const_bytep>(text.data.data()), text.data.size());
  }
  for (int64_t y = 0; y < image.height; ++y) png_write_row(writer.png, image.row(y));
  png_write_end(writer.png, writer.info);
}

void guarded_write(PngWriter& writer) {
  if (setjmp(png_jmpbuf(writer.png))) fail(ErrorKind::kInternal, "encode_png: ", writer.message);
  write_all(writer);
}

}  // namespace

DecodedImage decode_png(std::span<const std::byte> bytes, const ImageLimits& limits) {
  PngReader reader;
  reader.rest = bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader.message, on_error, on_warning);
  check(reader.png != nullptr, ErrorKind::kInternal, "read_png: libpng did not start");
  reader.info = png_create_info_struct(reader.png);
  check(reader.info != nullptr, ErrorKind::kInternal, "read_png: libpng did not start");
  png_set_user_limits(reader.png, 0x7fffffff, 0x7fffffff);  // Ours come first, with their own message.

  guarded_read(reader, read_header);
  const int64_t width = png_get_image_width(reader.png, reader.info);
  const int64_t height = png_get_image_height(reader.png, reader.info);
  check_image_size(width, height, limits, "read_png");
  guarded_read(reader, choose_output);

  DecodedImage out{make_image(width, height, png_get_channels(reader.png, reader.info)), 1};
  check(png_get_rowbytes(reader.png, reader.info) == static_cast<size_t>(out.image.stride()),
        ErrorKind::kInternal, "read_png: unexpected row size");
  for (int64_t y = 0; y < height; ++y) reader.rows.push_back(out.image.row(y));
  guarded_read(reader, read_pixels);
  out.orientation = stored_orientation(reader);
  return out;
}

std::vector<std::byte> encode_png(const Image& image, const PngText& text) {
  check_image(image, "encode_png");
  check(image.width <= 0x7fffffff && image.height <= 0x7fffffff, "encode_png: ", image.width, "x",
        image.height, " is too large");
  PngWriter writer;
  writer.image = &image;
  for (const auto& [keyword, value] : text) writer.texts.push_back(make_text_chunk(keyword, value));
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer.message, on_error, on_warning);
  check(writer.png != nullptr, ErrorKind::kInternal, "encode_png: libpng did not start");
  writer.info = png_create_info_struct(writer.png);
  check(writer.info != nullptr, ErrorKind::kInternal, "encode_png: libpng did not start");
  guarded_write(writer);
  return std::move(writer.out);
}

void write_png(const std::filesystem::path& path, const Image& image, const PngText& text) {
  write_file_atomic(path, encode_png(image, text));
}

}  // namespace ldm
