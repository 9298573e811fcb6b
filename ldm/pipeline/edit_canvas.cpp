#include "ldm/pipeline/edit_canvas.h"

#include <algorithm>
#include <cstdlib>

#include "ldm/core/error.h"
#include "ldm/image/resample.h"
#include "ldm/pipeline/edit_mask.h"

namespace ldm {
namespace {

constexpr int64_t kWidestMargin = 4096;
constexpr int64_t kWidestFeather = 512;

bool has_margins(const EditRequest& edit) {
  return std::any_of(edit.outpaint.begin(), edit.outpaint.end(), [](int64_t side) { return side > 0; });
}

// Of the picture's own size, without margins; empty where nothing is masked.
Image own_mask(const EditRequest& edit) {
  if (edit.mask.empty()) return transparency_mask(edit.picture);
  const auto mask = mask_of(edit.mask);
  if (mask.width == edit.picture.width && mask.height == edit.picture.height) return mask;
  return resize(mask, edit.picture.width, edit.picture.height, Filter::kBilinear);
}

// The middle of the image with the proportions of width x height, resized to that.
Image fitted(const Image& image, int64_t width, int64_t height, Filter filter) {
  if (image.width == width && image.height == height) return image;
  const auto wide = std::clamp<int64_t>(image.height * width / height, 1, image.width);
  const auto tall = std::clamp<int64_t>(image.width * height / width, 1, image.height);
  const auto middle = crop(image, (image.width - wide) / 2, (image.height - tall) / 2, wide, tall);
  return resize(middle, width, height, filter);
}

// With margins that repeat the edges.
Image extended(const Image& image, const std::array<int64_t, 4>& margins) {
  const auto [left, top, right, bottom] = margins;
  auto out = make_image(image.width + left + right, image.height + top + bottom, image.channels);
  for (int64_t y = 0; y < out.height; ++y) {
    const auto* row = image.row(std::clamp<int64_t>(y - top, 0, image.height - 1));
    for (int64_t x = 0; x < out.width; ++x) {
      const auto* from = row + std::clamp<int64_t>(x - left, 0, image.width - 1) * image.channels;
      std::copy_n(from, image.channels, out.row(y) + x * image.channels);
    }
  }
  return out;
}

// Everything outside the rectangle that margins leave is masked.
void mask_margins(Image& mask, const std::array<int64_t, 4>& margins) {
  const auto [left, top, right, bottom] = margins;
  for (int64_t y = 0; y < mask.height; ++y) {
    for (int64_t x = 0; x < mask.width; ++x) {
      const bool inside = x >= left && x < mask.width - right && y >= top && y < mask.height - bottom;
      if (!inside) mask.row(y)[x] = 255;
    }
  }
}

}  // namespace

void check_edit(const EditRequest& edit) {
  const auto& picture = edit.picture;
  if (picture.empty()) {
    const char* alone = !edit.mask.empty()  ? "a mask"
                        : has_margins(edit) ? "margins to draw beyond it (outpaint)"
                        : edit.feather != 0 ? "a feathered mask"
                        : edit.strength     ? "a strength"
                                            : nullptr;
    check(alone == nullptr, "generate: expected a picture to begin with (--init-image) for ",
          alone ? alone : "");
    return;
  }
  check_image(picture, "generate: init image");
  for (const auto side : edit.outpaint)
    check(side >= 0 && side <= kWidestMargin, "generate: expected margins of 0..", kWidestMargin,
          " pixels to draw beyond the picture, got ", side);
  check(edit.feather >= 0 && edit.feather <= kWidestFeather, "generate: expected 0..", kWidestFeather,
        " pixels to feather, got ", edit.feather);
  const double strength = edit.strength.value_or(1.0);
  check(strength >= 0 && strength <= 1, "generate: expected a strength of 0 to 1, got ", strength);
  if (!edit.mask.empty()) {
    const auto& mask = edit.mask;
    check_image(mask, "generate: mask");
    const auto skew = std::abs(mask.width * picture.height - mask.height * picture.width);
    check(skew <= std::max(picture.width, picture.height), "generate: expected a mask of the picture's ",
          picture.width, "x", picture.height, " pixels or those proportions, got ", mask.width, "x",
          mask.height);
  }
  const bool edge = has_margins(edit) || !edit.mask.empty() || !transparency_mask(picture).empty();
  check(edit.feather == 0 || edge,
        "generate: nothing to feather; expected a mask (--mask), margins "
        "(--outpaint) or a picture with transparency");
}

std::pair<int64_t, int64_t> edit_size(const EditRequest& edit) {
  const auto [left, top, right, bottom] = edit.outpaint;
  return {edit.picture.width + left + right, edit.picture.height + top + bottom};
}

std::pair<int64_t, int64_t> asked_size(const GenerateRequest& r) {
  if (r.edit.picture.empty() || r.width > 0 || r.height > 0) return {r.width, r.height};
  return edit_size(r.edit);
}

EditCanvas lay_out_edit(const EditRequest& edit, int64_t width, int64_t height) {
  const auto [left, top, right, bottom] = edit.outpaint;
  const auto inner_width = width - left - right, inner_height = height - top - bottom;
  check(inner_width > 0 && inner_height > 0, "generate: margins of ", left, ",", top, ",", right, ",", bottom,
        " pixels leave nothing of the picture in ", width, "x", height);
  EditCanvas out{.picture = fitted(to_rgb(edit.picture), inner_width, inner_height, Filter::kLanczos)};
  if (const auto mask = own_mask(edit); !mask.empty())
    out.mask = fitted(mask, inner_width, inner_height, Filter::kBilinear);
  if (has_margins(edit)) {
    if (out.mask.empty()) out.mask = make_image(inner_width, inner_height, 1);
    out.picture = extended(out.picture, edit.outpaint);
    out.mask = extended(out.mask, edit.outpaint);
    mask_margins(out.mask, edit.outpaint);
  }
  if (!out.mask.empty()) out.mask = feathered(out.mask, edit.feather);
  return out;
}

double edit_strength(const EditRequest& edit) {
  const bool masked = !edit.mask.empty() || has_margins(edit) || !transparency_mask(edit.picture).empty();
  return edit.strength.value_or(masked ? 1.0 : 0.75);
}

}  // namespace ldm
