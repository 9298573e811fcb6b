#include "ldm/image/webp.h"

#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

#include <cstring>
#include <memory>

#include "ldm/core/error.h"

namespace ldm {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;

Demuxer open_webp(std::span<const std::byte> bytes) {
  const WebPData data{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  Demuxer demuxer(WebPDemux(&data), WebPDemuxDelete);
  check(demuxer != nullptr, ErrorKind::kFormat,
        "read_webp: expected a whole RIFF WebP file, got a broken or short one");
  return demuxer;
}

int stored_orientation(const Demuxer& demuxer) {
  WebPChunkIterator chunk;
  if (!WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk)) return 1;
  const int orientation = exif_orientation(std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size)));
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

// The first frame's own pixels with 3 or 4 channels.
Image decode_frame(const WebPIterator& frame) {
  WebPBitstreamFeatures features;
  const auto& data = frame.fragment;
  const bool known = WebPGetFeatures(data.bytes, data.size, &features) == VP8_STATUS_OK;
  check(known && features.width == frame.width && features.height == frame.height, ErrorKind::kFormat,
        "read_webp: the frame's header is broken");
  Image image = make_image(frame.width, frame.height, features.has_alpha ? 4 : 3);
  const auto stride = static_cast<int>(image.stride());
  const auto* done =
      features.has_alpha
          ? WebPDecodeRGBAInto(data.bytes, data.size, image.pixels.data(), image.pixels.size(), stride)
          : WebPDecodeRGBInto(data.bytes, data.size, image.pixels.data(), image.pixels.size(), stride);
  check(done != nullptr, ErrorKind::kFormat, "read_webp: the pixel data is broken or ends early");
  return image;
}

// A frame smaller than its canvas: transparent black around it.
Image on_canvas(const Image& frame, int64_t x, int64_t y, int64_t width, int64_t height) {
  Image canvas = make_image(width, height, 4);
  for (int64_t r = 0; r < frame.height; ++r) {
    for (int64_t c = 0; c < frame.width; ++c) {
      uint8_t* out = canvas.row(y + r) + 4 * (x + c);
      out[3] = 255;
      std::memcpy(out, frame.row(r) + c * frame.channels, static_cast<size_t>(frame.channels));
    }
  }
  return canvas;
}

}  // namespace

DecodedImage decode_webp(std::span<const std::byte> bytes, const ImageLimits& limits) {
  const Demuxer demuxer = open_webp(bytes);
  const int64_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const int64_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  check_image_size(width, height, limits, "read_webp");

  WebPIterator raw;
  check(WebPDemuxGetFrame(demuxer.get(), 1, &raw), ErrorKind::kFormat, "read_webp: the file holds no frame");
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> frame(&raw,
                                                                                 WebPDemuxReleaseIterator);
  const bool inside = raw.width >= 1 && raw.height >= 1 && raw.x_offset >= 0 && raw.y_offset >= 0 &&
                      raw.width <= width - raw.x_offset && raw.height <= height - raw.y_offset;
  check(inside, ErrorKind::kFormat, "read_webp: the first frame does not lie inside the canvas");
  Image image = decode_frame(raw);
  if (raw.width != width || raw.height != height) {
    image = on_canvas(image, raw.x_offset, raw.y_offset, width, height);
  }
  return {std::move(image), stored_orientation(demuxer)};
}

std::vector<std::byte> encode_webp(const Image& image, double quality, bool lossless) {
  check_image(image, "encode_webp");
  check(quality >= 0 && quality <= 100, "encode_webp: expected a quality of 0..100, got ", quality);
  check(image.width <= WEBP_MAX_DIMENSION && image.height <= WEBP_MAX_DIMENSION,
        "encode_webp: expected sides of at most ", WEBP_MAX_DIMENSION, ", got ", image.width, "x",
        image.height);
  WebPConfig config;
  WebPPicture picture;
  check(WebPConfigInit(&config) && WebPPictureInit(&picture), ErrorKind::kInternal,
        "encode_webp: wrong libwebp");
  config.quality = static_cast<float>(quality);
  config.lossless = config.exact = lossless;
  if (lossless) WebPConfigLosslessPreset(&config, 6);
  picture.use_argb = lossless;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);

  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const Image source = image.channels == 1 ? drop_alpha(image) : image;
  const auto import = source.channels == 4 ? WebPPictureImportRGBA : WebPPictureImportRGB;
  const bool done = import(&picture, source.pixels.data(), static_cast<int>(source.stride())) &&
                    WebPEncode(&config, &picture);
  const auto* first = reinterpret_cast<const std::byte*>(writer.mem);
  std::vector<std::byte> bytes(first, first + (done ? writer.size : 0));
  WebPPictureFree(&picture);
  WebPMemoryWriterClear(&writer);
  check(done, ErrorKind::kInternal, "encode_webp: libwebp error ", picture.error_code);
  return bytes;
}

}  // namespace ldm
