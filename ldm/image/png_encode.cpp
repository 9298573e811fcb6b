#include <png.h>

#include <csetjmp>
#include <cstring>
#include <new>

#include "ldm/core/error.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

// libpng leaves by longjmp: see png.cpp.
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

void on_encode_error(png_structp png, png_const_charp message) {
  auto* text = static_cast<char*>(png_get_error_ptr(png));
  std::strncpy(text, message, 127);
  png_longjmp(png, 1);
}

void on_encode_warning(png_structp, png_const_charp) {}

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

std::vector<std::byte> encode_png(const Image& image, const PngText& text) {
  check_image(image, "encode_png");
  check(image.width <= 0x7fffffff && image.height <= 0x7fffffff, "encode_png: ", image.width, "x",
        image.height, " is too large");
  PngWriter writer;
  writer.image = &image;
  for (const auto& [keyword, value] : text) writer.texts.push_back(make_text_chunk(keyword, value));
  writer.png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, writer.message, on_encode_error, on_encode_warning);
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
