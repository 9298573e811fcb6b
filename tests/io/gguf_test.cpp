#include "ldm/io/gguf.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"
#include "tests/io/file_builders.h"

namespace ldm {
namespace {

std::filesystem::path data(const char* name) {
  return std::filesystem::path(std::getenv("LDM_SOURCE_DIR")) / "tests/io/data" / name;
}

// blocks.safetensors holds what the gguf package of Python makes of the blocks (data/make_gguf_blocks.py).
TEST(Gguf, EveryTypeEqualsTheReference) {
  const MappedFile mapped(data("blocks.gguf")), reference(data("blocks.safetensors"));
  const auto file = parse_gguf(mapped.bytes());
  const auto wanted = parse_safetensors(reference.bytes());
  ASSERT_EQ(file.tensors.size(), wanted.tensors.size());
  for (const auto& tensor : file.tensors) {
    const auto want = std::find_if(wanted.tensors.begin(), wanted.tensors.end(),
                                   [&](const auto& entry) { return entry.name == tensor.name; });
    ASSERT_NE(want, wanted.tensors.end()) << tensor.name;
    EXPECT_EQ(tensor.name, gguf_type_name(tensor.type));
    EXPECT_EQ(tensor.shape, want->shape) << tensor.name;
    std::vector<float> got(want->data.size() / sizeof(float)), expected(got.size());
    std::memcpy(expected.data(), want->data.data(), want->data.size());
    dequantize(tensor, got);
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-6 * (1 + std::abs(expected[i]))) << tensor.name << ' ' << i;
  }
}

TEST(Gguf, MetadataIsText) {
  const auto bytes =
      testing::make_gguf({.metadata = testing::gguf_entry("answer", 5, testing::le(int32_t{-42}))});
  EXPECT_EQ(parse_gguf(as_bytes(bytes)).metadata.at("answer"), "-42");
}

}  // namespace
}  // namespace ldm
