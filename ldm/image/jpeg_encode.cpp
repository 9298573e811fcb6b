#include <csetjmp>
#include <cstdlib>
#include <memory>

#include "ldm/core/error.h"
#include "ldm/image/jpeg.h"

// jpeglib.h needs stdio's FILE.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace ldm {
namespace {

constexpr int64_t kMaxJpegSide = 65'500;  // Of the format, as libjpeg has it.

// libjpeg leaves by longjmp, so compress() holds no object with a destructor.
struct JpegWriter {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
  unsigned char* bytes = nullptr;  // libjpeg's, by malloc.
  unsigned long size = 0;

  JpegWriter() = default;
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
};

void leave_writer(j_common_ptr info) {
  auto& writer = *static_cast<JpegWriter*>(info->client_data);
  info->err->format_message(info, writer.message);
  std::longjmp(writer.jump, 1);
}

bool compress(JpegWriter& writer, const Image& image, int quality) {
  if (setjmp(writer.jump)) return false;
  auto& info = writer.info;
  jpeg_create_compress(&info);
  info.client_data = &writer;
  jpeg_mem_dest(&info, &writer.bytes, &writer.size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(image.row(info.next_scanline));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& image, int64_t quality) {
  check_image(image, "encode_jpeg");
  check(image.channels != 4, "encode_jpeg: expected 1 or 3 channels, got 4; hint: to_rgb first");
  check(quality >= 1 && quality <= 100, "encode_jpeg: expected a quality of 1 to 100, got ", quality);
  check(image.width <= kMaxJpegSide && image.height <= kMaxJpegSide,
        "encode_jpeg: expected sides of at most ", kMaxJpegSide, ", got ", image.width, "x", image.height);
  JpegWriter writer;
  writer.info.err = jpeg_std_error(&writer.errors);
  writer.info.client_data = &writer;
  writer.errors.error_exit = leave_writer;
  check(compress(writer, image, static_cast<int>(quality)), ErrorKind::kInternal,
        "encode_jpeg: ", writer.message);
  const auto* first = reinterpret_cast<const std::byte*>(writer.bytes);
  return {first, first + writer.size};
}

}  // namespace ldm
