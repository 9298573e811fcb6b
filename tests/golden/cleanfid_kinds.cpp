// Resizing of clean-fid.
#include <ATen/ATen.h>

#include "ldm/image/clean_resize.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

void run_resize_cleanfid(Case& c) {
  const auto u8 = c.input("u8").cpu().contiguous();
  const auto* first = u8.const_data_ptr<uint8_t>();
  const Image image{u8.size(1), u8.size(0), u8.size(2), {first, first + u8.numel()}};
  const int64_t width = c.config().at("output_wh")[0], height = c.config().at("output_wh")[1];
  auto values = clean_resize(image, width, height);
  const auto resized = at::from_blob(values.data(), {height, width, image.channels}, at::kFloat);
  const auto rows = at::tensor(c.config().at("rows").get<std::vector<int64_t>>(), at::kLong);
  c.expect("resized_rows", resized.index_select(0, rows));
  c.expect("mean", resized.to(at::kDouble).mean({0, 1}));
  c.expect("inception_input_rows", (resized.index_select(0, rows) - 128) / 128);
}

void add_cleanfid_kinds(KindTable& kinds) { kinds.add("resize_cleanfid", run_resize_cleanfid); }
const RegisterKinds kCleanFidRegistered(add_cleanfid_kinds);

}  // namespace
}  // namespace ldm::golden
