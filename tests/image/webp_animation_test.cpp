#include "ldm/image/webp_animation.h"

#include <webp/demux.h>

#include <cmath>
#include <memory>

#include "ldm/image/decode.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

struct ReadAnimation {
  int64_t width = 0, height = 0, loops = 0;
  std::vector<int> ends_ms;
  std::vector<Image> frames;  // RGBA.
};

ReadAnimation read_animation(const std::vector<std::byte>& bytes) {
  const WebPData data{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(
      WebPAnimDecoderNew(&data, nullptr), WebPAnimDecoderDelete);
  ReadAnimation out;
  WebPAnimInfo info;
  if (decoder == nullptr || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0) return out;
  out.width = info.canvas_width;
  out.height = info.canvas_height;
  out.loops = info.loop_count;
  while (WebPAnimDecoderHasMoreFrames(decoder.get())) {
    uint8_t* pixels = nullptr;
    int end_ms = 0;
    if (WebPAnimDecoderGetNext(decoder.get(), &pixels, &end_ms) == 0) break;
    out.ends_ms.push_back(end_ms);
    out.frames.push_back(make_image(out.width, out.height, 4));
    std::copy(pixels, pixels + out.frames.back().pixels.size(), out.frames.back().pixels.begin());
  }
  return out;
}

std::vector<Image> moving_square(int64_t frames) {
  std::vector<Image> out;
  for (int64_t k = 0; k < frames; ++k) {
    out.push_back(make_image(48, 32, 3, 30));
    for (int64_t y = 8; y < 24; ++y)
      for (int64_t x = 0; x < 16; ++x) out.back().row(y)[3 * (x + 4 * k) + k % 3] = 220;
  }
  return out;
}

TEST(WebpAnimation, EveryFrameComesBack) {
  const auto frames = moving_square(7);
  const auto read =
      read_animation(encode_webp_animation(frames, {.frames_per_s = 24, .loops = 3, .quality = 100}));
  EXPECT_EQ(read.width, 48);
  EXPECT_EQ(read.height, 32);
  EXPECT_EQ(read.loops, 3);
  EXPECT_EQ(read.ends_ms, (std::vector<int>{42, 83, 125, 167, 208, 250, 292}));
  ASSERT_EQ(read.frames.size(), 7u);
  for (size_t k = 0; k < 7; ++k) EXPECT_EQ(drop_alpha(read.frames[k]), frames[k]) << k;
}

TEST(WebpAnimation, LossyStaysNear) {
  const auto frames = moving_square(3);
  const auto read = read_animation(encode_webp_animation(frames));
  ASSERT_EQ(read.frames.size(), 3u);
  EXPECT_EQ(read.loops, 0);
  double difference = 0;
  const auto back = drop_alpha(read.frames[2]);
  for (size_t i = 0; i < back.pixels.size(); ++i)
    difference += std::abs(int{back.pixels[i]} - int{frames[2].pixels[i]});
  EXPECT_LT(difference / static_cast<double>(back.pixels.size()), 6.0);
}

TEST(WebpAnimation, OnePictureIsAPicture) {
  const auto one = moving_square(1);
  EXPECT_EQ(decode_image(encode_webp_animation(one, {.quality = 100})), one[0]);
}

TEST(WebpAnimation, RefusesWhatIsNoAnimation) {
  const auto refused = [](const std::vector<Image>& frames, const WebpAnimationOptions& options,
                          const char* part) {
    test::expect_error(ErrorKind::kUsage, part, [&] { encode_webp_animation(frames, options); });
  };
  refused({}, {}, "at least one picture");
  refused({make_image(2, 2, 3), make_image(2, 3, 3)}, {}, "of one size");
  refused({make_image(16384, 1, 3)}, {}, "at most 16383");
  refused(moving_square(1), {.frames_per_s = 0}, "frames a second");
  refused(moving_square(1), {.frames_per_s = std::nan("")}, "frames a second");
  refused(moving_square(1), {.loops = -1}, "loops");
  refused(moving_square(1), {.quality = 101}, "quality");
}

}  // namespace
}  // namespace ldm
