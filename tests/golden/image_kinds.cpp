#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>

#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/image/levels.h"
#include "ldm/image/resample.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

// [H, W, C].
torch::Tensor to_tensor(const Image& image) {
  auto* pixels = const_cast<uint8_t*>(image.pixels.data());
  return at::from_blob(pixels, {image.height, image.width, image.channels}, at::kByte).clone();
}

// [H, W] or [H, W, C].
Image to_image(const torch::Tensor& hwc) {
  const auto cpu = hwc.cpu().contiguous();
  const auto* first = cpu.data_ptr<uint8_t>();
  return {cpu.size(1), cpu.size(0), cpu.dim() == 2 ? 1 : cpu.size(2), {first, first + cpu.numel()}};
}

// Mode F of each channel of [H, W] or [H, W, C].
torch::Tensor resize_floats(const torch::Tensor& input, int64_t width, int64_t height, Filter filter) {
  const bool flat = input.dim() == 2;
  const auto planes =
      (flat ? input.unsqueeze(0) : input.permute({2, 0, 1})).to(at::kCPU, at::kFloat).contiguous();
  auto out = at::empty({planes.size(0), height, width}, at::kFloat);
  for (int64_t c = 0; c < planes.size(0); ++c) {
    const auto plane = planes[c];
    const std::span<const float> values(plane.data_ptr<float>(), static_cast<size_t>(plane.numel()));
    const auto resized = resize_plane(values, plane.size(1), plane.size(0), width, height, filter);
    std::copy(resized.begin(), resized.end(), out[c].data_ptr<float>());
  }
  return flat ? out[0] : out.permute({1, 2, 0});
}

// Outputs are named u8.<filter>.<H>x<W> and f32.<filter>.<H>x<W>.
void run_resize_pillow(Case& c) {
  for (const auto& entry : c.json().at("outputs")) {
    const auto output = entry.get<std::string>();
    const size_t dot = output.find('.'), last = output.rfind('.'), cross = output.find('x', last);
    const std::string source = output.substr(0, dot);
    const Filter filter = parse_filter(output.substr(dot + 1, last - dot - 1));
    const int64_t height = std::stoll(output.substr(last + 1)), width = std::stoll(output.substr(cross + 1));
    if (source == "f32") {
      c.expect(output, resize_floats(c.input(source), width, height, filter));
    } else {
      const auto input = c.input(source);
      const auto resized = to_tensor(resize(to_image(input), width, height, filter));
      c.expect(output, input.dim() == 2 ? resized.squeeze(-1) : resized);
    }
  }
}

// Training data is read as Pillow's convert("RGB") does: alpha is dropped.
void run_image_decode(Case& c) {
  for (const auto& entry : c.config().at("files")) {
    const auto name = entry.at("file").get<std::string>();
    try {
      const Image image = read_image(c.file(name));
      c.expect_within("rgb." + name, to_tensor(drop_alpha(image)), entry.at("tolerance"));
      if (c.has("rgba." + name)) c.expect("rgba." + name, to_tensor(image));
    } catch (const Error&) {
      if (!entry.at("optional").get<bool>()) throw;  // Left out: reported as unsupported.
    }
  }
}

void run_image_broken(Case& c) {
  for (const auto& item : c.json().at("items")) {
    const auto name = item.at("file").get<std::string>(), expected = item.at("expect").get<std::string>();
    std::string got = "accept";
    try {
      read_image(c.file(name));
    } catch (const Error& error) {
      got = error.kind() == ErrorKind::kFormat ? "refuse" : "fail";
    }
    c.expect_true(name, got == expected || (expected == "either" && got != "fail"));
  }
}

// x is [N, C, H, W], the pictures [N, H, W, C].
void run_image_export(Case& c) {
  const auto x = c.input("x").to(at::kCPU, at::kFloat).contiguous();
  const std::map<std::string, LevelRule> rules{{"npz_u8", LevelRule::kNpz},
                                               {"png_u8", LevelRule::kPng},
                                               {"txt2img_u8", LevelRule::kTxt2img},
                                               {"rounded_u8", LevelRule::kRounded}};
  for (const auto& [output, rule] : rules) {
    if (!c.has(output)) continue;
    std::vector<torch::Tensor> images;
    for (int64_t i = 0; i < x.size(0); ++i) {
      const auto one = x[i];
      const std::span<const float> values(one.data_ptr<float>(), static_cast<size_t>(one.numel()));
      images.push_back(to_tensor(from_planes(values, one.size(0), one.size(1), one.size(2), rule)));
    }
    c.expect(output, at::stack(images));
  }
}

void add_image_kinds(KindTable& kinds) {
  kinds.add("resize_pillow", run_resize_pillow);
  kinds.add("image_decode", run_image_decode);
  kinds.add("image_broken", run_image_broken);
  kinds.add("image_export", run_image_export);
}
const RegisterKinds kImageRegistered(add_image_kinds);

}  // namespace
}  // namespace ldm::golden
