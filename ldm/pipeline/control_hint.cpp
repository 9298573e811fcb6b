#include "ldm/pipeline/control_hint.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ldm/core/error.h"
#include "ldm/image/resample.h"

namespace ldm {
namespace {

bool has_transparency(const Image& picture) {
  if (picture.channels != 4) return false;
  for (size_t i = 3; i < picture.pixels.size(); i += 4) {
    if (picture.pixels[i] != 255) return true;
  }
  return false;
}

Image in_channels_of(const ControlNet& network, const Image& picture) {
  check_image(picture, "control picture");
  check(!has_transparency(picture), "control picture: expected grey or colour, got transparency");
  const auto channels = network.options().hint_channels;
  check(channels == 1 || channels == 3, "control picture: this ControlNet reads ", channels,
        " channels; a picture has 1 or 3");
  return channels == 1 ? to_grey(picture) : drop_alpha(picture);
}

// [1, C, H, W] in [0, 1].
torch::Tensor hint_of(const ControlNet& network, const Image& picture, const Canvas& canvas, int64_t factor) {
  constexpr int64_t kPixels = ControlNet::kHintPixels;
  const auto side = [&](int64_t pixels) { return (pixels * kPixels + factor - 1) / factor; };
  const auto cut =
      cover(in_channels_of(network, picture), side(canvas.width), side(canvas.height), Filter::kBicubic);
  const auto bytes = at::tensor(at::ArrayRef<uint8_t>(cut.pixels), at::kByte);
  const auto hint = bytes.view({1, cut.height, cut.width, cut.channels}).permute({0, 3, 1, 2}).to(at::kFloat);
  return at::replication_pad2d(hint.contiguous() / 255.0, {0, kPixels * canvas.latent_width - cut.width, 0,
                                                           kPixels * canvas.latent_height - cut.height});
}

}  // namespace

std::vector<std::shared_ptr<const Control>> bind_controls(const LatentDiffusion& model,
                                                          const GenerateRequest& request,
                                                          const Canvas& canvas) {
  std::vector<std::shared_ptr<const Control>> out;
  for (const auto& control : request.controls) {
    check(control.network != nullptr, ErrorKind::kInternal, "control: no network");
    check(std::isfinite(control.strength), "control: expected a finite strength, got ", control.strength);
    const auto hint = hint_of(*control.network, control.picture, canvas, model.first_stage().downsampling());
    out.push_back(std::make_shared<const Control>(
        Control{.network = control.network, .hint = hint.to(model.device()), .strength = control.strength}));
  }
  return out;
}

}  // namespace ldm
