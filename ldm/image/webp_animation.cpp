#include "ldm/image/webp_animation.h"

#include <webp/encode.h>
#include <webp/mux.h>

#include <cmath>
#include <memory>
#include <new>

#include "ldm/core/error.h"

namespace ldm {
namespace {

using AnimationEncoder = std::unique_ptr<WebPAnimEncoder, decltype(&WebPAnimEncoderDelete)>;

struct AnimationFrame {
  WebPPicture picture;

  explicit AnimationFrame(const Image& image) {
    check(WebPPictureInit(&picture), ErrorKind::kInternal, "encode_webp_animation: wrong libwebp");
    picture.use_argb = 1;
    picture.width = static_cast<int>(image.width);
    picture.height = static_cast<int>(image.height);
    const Image source = image.channels == 1 ? drop_alpha(image) : image;
    const auto import = source.channels == 4 ? WebPPictureImportRGBA : WebPPictureImportRGB;
    if (import(&picture, source.pixels.data(), static_cast<int>(source.stride())) == 0)
      throw std::bad_alloc();
  }
  AnimationFrame(const AnimationFrame&) = delete;
  AnimationFrame& operator=(const AnimationFrame&) = delete;
  ~AnimationFrame() { WebPPictureFree(&picture); }
};

void check_animation(std::span<const Image> frames, const WebpAnimationOptions& options) {
  check(!frames.empty(), "encode_webp_animation: expected at least one picture, got none");
  const auto& first = frames[0];
  for (const auto& frame : frames) {
    check_image(frame, "encode_webp_animation");
    check(frame.width == first.width && frame.height == first.height,
          "encode_webp_animation: expected pictures of one size, got ", first.width, "x", first.height,
          " and ", frame.width, "x", frame.height);
  }
  check(first.width <= WEBP_MAX_DIMENSION && first.height <= WEBP_MAX_DIMENSION,
        "encode_webp_animation: expected sides of at most ", WEBP_MAX_DIMENSION, ", got ", first.width, "x",
        first.height);
  check(options.frames_per_s >= 0.1 && options.frames_per_s <= 100,
        "encode_webp_animation: expected 0.1..100 frames a second, got ", options.frames_per_s);
  check(options.loops >= 0 && options.loops <= 65535, "encode_webp_animation: expected 0..65535 loops, got ",
        options.loops);
  check(options.quality >= 0 && options.quality <= 100,
        "encode_webp_animation: expected a quality of 0..100, got ", options.quality);
}

AnimationEncoder make_encoder(const Image& first, const WebpAnimationOptions& options) {
  WebPAnimEncoderOptions settings;
  check(WebPAnimEncoderOptionsInit(&settings), ErrorKind::kInternal,
        "encode_webp_animation: wrong libwebpmux");
  settings.anim_params.loop_count = static_cast<int>(options.loops);
  AnimationEncoder encoder(
      WebPAnimEncoderNew(static_cast<int>(first.width), static_cast<int>(first.height), &settings),
      WebPAnimEncoderDelete);
  if (encoder == nullptr) throw std::bad_alloc();
  return encoder;
}

std::vector<std::byte> assemble(WebPAnimEncoder* encoder) {
  WebPData data;
  WebPDataInit(&data);
  const bool done = WebPAnimEncoderAssemble(encoder, &data) != 0;
  const auto* first = reinterpret_cast<const std::byte*>(data.bytes);
  std::vector<std::byte> bytes(first, first + (done ? data.size : 0));
  WebPDataClear(&data);
  check(done, ErrorKind::kInternal, "encode_webp_animation: ", WebPAnimEncoderGetError(encoder));
  return bytes;
}

}  // namespace

std::vector<std::byte> encode_webp_animation(std::span<const Image> frames,
                                             const WebpAnimationOptions& options) {
  check_animation(frames, options);
  const auto encoder = make_encoder(frames[0], options);
  WebPConfig config;
  check(WebPConfigInit(&config), ErrorKind::kInternal, "encode_webp_animation: wrong libwebp");
  config.quality = static_cast<float>(options.quality);
  config.lossless = config.exact = options.quality == 100.0;
  // A frame begins where all before it end, rounded, so that the whole keeps its speed.
  const auto begins_ms = [&](size_t k) {
    return static_cast<int>(std::lround(1000.0 * static_cast<double>(k) / options.frames_per_s));
  };
  for (size_t k = 0; k < frames.size(); ++k) {
    AnimationFrame frame(frames[k]);
    check(WebPAnimEncoderAdd(encoder.get(), &frame.picture, begins_ms(k), &config) != 0, ErrorKind::kInternal,
          "encode_webp_animation: ", WebPAnimEncoderGetError(encoder.get()));
  }
  check(WebPAnimEncoderAdd(encoder.get(), nullptr, begins_ms(frames.size()), nullptr) != 0,
        ErrorKind::kInternal, "encode_webp_animation: ", WebPAnimEncoderGetError(encoder.get()));
  return assemble(encoder.get());
}

}  // namespace ldm
