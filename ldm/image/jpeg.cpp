#include "ldm/image/jpeg.h"

#include <csetjmp>
#include <cstring>

// jpeglib.h needs stdio's FILE, jerror.h needs jpeglib.h.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "ldm/core/error.h"

namespace ldm {
namespace {

// A hostile progressive file can ask for thousands of passes over the picture; usual are ten.
constexpr int kMaxScans = 100;

// libjpeg leaves by longjmp, so functions that run under guarded_jpeg hold no object with a destructor: what
// they fill lives here and grows only between the guarded steps.
struct JpegReader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
  std::span<const std::byte> bytes;
  Image image;

  JpegReader() = default;
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info); }
};

void leave(j_common_ptr info) {
  auto& reader = *static_cast<JpegReader*>(info->client_data);
  info->err->format_message(info, reader.message);
  std::longjmp(reader.jump, 1);
}

// Warnings that mean lost pixels are errors; the others (bytes between markers, version numbers) are ignored.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      leave(info);
  }
}

void on_progress(j_common_ptr info) {
  auto& reader = *static_cast<JpegReader*>(info->client_data);
  if (reader.info.input_scan_number <= kMaxScans) return;
  std::snprintf(reader.message, sizeof reader.message, "more than %d scans", kMaxScans);
  std::longjmp(reader.jump, 1);
}

void quiet(j_common_ptr) {}

void guarded_jpeg(JpegReader& reader, void (*step)(JpegReader&)) {
  if (setjmp(reader.jump)) fail(ErrorKind::kFormat, "read_jpeg: ", reader.message);
  step(reader);
}

void start(JpegReader& reader) {
  jpeg_create_decompress(&reader.info);
  reader.info.client_data = &reader;
  reader.progress.progress_monitor = on_progress;
  reader.info.progress = &reader.progress;
  jpeg_mem_src(&reader.info, reinterpret_cast<const unsigned char*>(reader.bytes.data()),
               reader.bytes.size());
  jpeg_save_markers(&reader.info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&reader.info, TRUE);
}

void choose_colours(JpegReader& reader) {
  auto& info = reader.info;
  if (info.num_components == 1) {
    info.out_color_space = JCS_GRAYSCALE;
  } else {
    info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  }
  info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&info);
}

void read_lines(JpegReader& reader) {
  while (reader.info.output_scanline < reader.info.output_height) {
    JSAMPROW row = reader.image.row(reader.info.output_scanline);
    jpeg_read_scanlines(&reader.info, &row, 1);
  }
  jpeg_finish_decompress(&reader.info);
}

int stored_orientation(const JpegReader& reader) {
  for (auto* marker = reader.info.marker_list; marker; marker = marker->next) {
    const auto data = std::as_bytes(std::span(marker->data, marker->data_length));
    if (data.size() >= 6 && std::memcmp(data.data(), "Exif\0\0", 6) == 0) return exif_orientation(data);
  }
  return 1;
}

// Adobe stores CMYK inverted, and files without its marker follow: 255 is no ink.
Image inverted_cmyk_to_rgb(const Image& cmyk) {
  Image out = make_image(cmyk.width, cmyk.height, 3);
  for (size_t i = 0, n = out.pixels.size() / 3; i < n; ++i) {
    const uint8_t* in = &cmyk.pixels[4 * i];
    for (size_t c = 0; c < 3; ++c) {
      const int t = in[c] * in[3] + 128;
      out.pixels[3 * i + c] = static_cast<uint8_t>(((t >> 8) + t) >> 8);
    }
  }
  return out;
}

}  // namespace

DecodedImage decode_jpeg(std::span<const std::byte> bytes, const ImageLimits& limits) {
  JpegReader reader;
  reader.bytes = bytes;
  reader.info.err = jpeg_std_error(&reader.errors);
  reader.info.client_data = &reader;
  reader.errors.error_exit = leave;
  reader.errors.emit_message = on_message;
  reader.errors.output_message = quiet;
  check(!bytes.empty(), ErrorKind::kFormat, "read_jpeg: the file is empty");

  guarded_jpeg(reader, start);
  const int components = reader.info.num_components;
  check_image_size(reader.info.image_width, reader.info.image_height, limits, "read_jpeg");
  check(components == 1 || components == 3 || components == 4, ErrorKind::kFormat,
        "read_jpeg: expected 1, 3 or 4 components, got ", components);
  guarded_jpeg(reader, choose_colours);
  reader.image = make_image(reader.info.output_width, reader.info.output_height, components);
  const int orientation = stored_orientation(reader);  // Finishing frees the markers.
  guarded_jpeg(reader, read_lines);
  if (components == 4) return {inverted_cmyk_to_rgb(reader.image), orientation};
  return {std::move(reader.image), orientation};
}

}  // namespace ldm
