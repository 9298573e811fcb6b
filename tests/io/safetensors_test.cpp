#include "ldm/io/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "tests/io/safetensors_builder.h"
#include "tests/io/temporary_folder.h"

namespace ldm {
namespace {

std::vector<std::byte> counted(size_t size, int first = 0) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(static_cast<size_t>(first) + i);
  return bytes;
}

TEST(Safetensors, ReadsAFile) {
  const std::string file = make_file(R"({"__metadata__":{"format":"pt"},)"
                                     R"("b":{"dtype":"F32","shape":[2,1],"data_offsets":[3,11]},)"
                                     R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                                     R"("s":{"dtype":"F16","shape":[],"data_offsets":[11,13]}}  )",
                                     13);
  const auto parsed = parse_safetensors(as_bytes(file));
  ASSERT_EQ(parsed.tensors.size(), 3u);
  EXPECT_EQ(parsed.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(parsed.tensors[0].name, "a") << "in the order of the bytes";
  EXPECT_EQ(parsed.tensors[1].name, "b");
  EXPECT_EQ(parsed.tensors[1].dtype, DType::kF32);
  EXPECT_EQ(parsed.tensors[1].shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(parsed.tensors[1].data.size(), 8u);
  EXPECT_EQ(parsed.tensors[1].data[0], std::byte{3}) << "the builder counts the bytes";
  EXPECT_TRUE(parsed.tensors[2].shape.empty()) << "a scalar";
}

TEST(Safetensors, ReadsTheEmptyFile) {
  EXPECT_TRUE(parse_safetensors(as_bytes(make_file("{}", 0))).tensors.empty());
  EXPECT_TRUE(parse_safetensors(as_bytes(make_file(R"({"__metadata__":{}})", 0))).metadata.empty());
}

TEST(Safetensors, EmptyTensorsStandAnywhere) {
  const auto parsed =
      parse_safetensors(as_bytes(make_file(R"({"z":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},)"
                                           R"("m":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                                           R"("a":{"dtype":"I64","shape":[3,0,5],"data_offsets":[2,2]}})",
                                           2)));
  EXPECT_EQ(parsed.tensors.size(), 3u);
}

TEST(Safetensors, ReadsPackedNumbers) {
  const auto parsed =
      parse_safetensors(as_bytes(make_file(R"({"four":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]},)"
                                           R"("six":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}})",
                                           6)));
  EXPECT_EQ(parsed.tensors[0].data.size(), 3u);
  EXPECT_EQ(parsed.tensors[1].data.size(), 3u);
}

TEST(SafetensorsWriter, WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  const auto a = counted(24), b = counted(6, 100), c = counted(2, 7);
  const std::vector<TensorEntry> tensors{{"b \"quoted\"", DType::kBF16, {3, 1}, b},
                                         {"a", DType::kF32, {2, 3}, a},
                                         {"c", DType::kBool, {2}, c},
                                         {"none", DType::kI64, {4, 0}, {}},
                                         {"\xC3\xA4", DType::kU8, {}, std::span(c).first(1)}};
  write_safetensors(folder / "x", tensors, {{"config", "a: 1\nb: \"\xE6\xBC\xA2\""}, {"format", "pt"}});
  const MappedFile file(folder / "x");
  const auto parsed = parse_safetensors(file.bytes());
  EXPECT_EQ(parsed.metadata.at("config"), "a: 1\nb: \"\xE6\xBC\xA2\"");
  ASSERT_EQ(parsed.tensors.size(), tensors.size());
  for (const auto& want : tensors) {
    const auto got = std::find_if(parsed.tensors.begin(), parsed.tensors.end(),
                                  [&](const TensorEntry& entry) { return entry.name == want.name; });
    ASSERT_NE(got, parsed.tensors.end()) << want.name;
    EXPECT_EQ(got->dtype, want.dtype);
    EXPECT_EQ(got->shape, want.shape);
    EXPECT_TRUE(std::equal(got->data.begin(), got->data.end(), want.data.begin(), want.data.end()))
        << want.name;
    const auto offset = static_cast<size_t>(got->data.data() - file.bytes().data());
    EXPECT_EQ(offset % static_cast<size_t>(dtype_bits(want.dtype) / 8), 0u) << want.name << " is aligned";
  }
}

TEST(SafetensorsWriter, EqualContentGivesEqualBytes) {
  const TemporaryFolder folder;
  const auto data = counted(8);
  const TensorEntry one{"one", DType::kF32, {2}, data}, two{"two", DType::kF32, {2}, data};
  write_safetensors(folder / "x", {one, two}, {{"k", "v"}});
  write_safetensors(folder / "y", {two, one}, {{"k", "v"}});
  EXPECT_EQ(read_text(folder / "x"), read_text(folder / "y"));
  const std::string header =
      R"({"__metadata__":{"k":"v"},"one":{"data_offsets":[0,8],"dtype":"F32","shape":[2]},)"
      R"("two":{"data_offsets":[8,16],"dtype":"F32","shape":[2]}})";
  EXPECT_NE(read_text(folder / "x").find(header), std::string::npos);
}

TEST(SafetensorsWriter, WritesAnEmptyFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "x", {});
  EXPECT_EQ(read_text(folder / "x"), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_TRUE(parse_safetensors(MappedFile(folder / "x").bytes()).tensors.empty());
}

TEST(SafetensorsWriter, RefusesWrongEntries) {
  const TemporaryFolder folder;
  const auto data = counted(8);
  const TensorEntry good{"a", DType::kF32, {2}, data};
  const std::vector<std::vector<TensorEntry>> bad{
      {good, good},                                        // A name twice.
      {{"__metadata__", DType::kF32, {2}, data}},          // The reserved name.
      {{"a", DType::kF32, {3}, data}},                     // Too few bytes.
      {{"a", DType::kF32, {1}, data}},                     // Too many.
      {{"a", DType::kF32, {-2}, data}},                    // A negative size.
      {{"a", DType::kF32, {int64_t{1} << 62, 4}, data}},   // Overflow.
      {{"a", DType::kF4, {3}, std::span(data).first(2)}},  // Half a byte.
      {{"\xFF", DType::kF32, {2}, data}},                  // No UTF-8.
  };
  for (const auto& entries : bad) {
    try {
      write_safetensors(folder / "x", entries);
      ADD_FAILURE() << "was written";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    }
  }
  EXPECT_EQ(folder.count(), 0u);
}

}  // namespace
}  // namespace ldm
