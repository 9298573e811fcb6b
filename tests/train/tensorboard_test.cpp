#include "ldm/train/tensorboard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "ldm/core/crc32c.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

template <typename T>
T take(std::string_view& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

// The records of a file, each checksum compared.
std::vector<std::string> read_records(const std::string& file) {
  std::vector<std::string> out;
  for (std::string_view rest = file; !rest.empty();) {
    const auto head = rest.substr(0, 8);
    const auto length = take<uint64_t>(rest);
    EXPECT_EQ(take<uint32_t>(rest), masked_crc32c(as_bytes(head)));
    out.emplace_back(rest.substr(0, length));
    rest.remove_prefix(length);
    EXPECT_EQ(take<uint32_t>(rest), masked_crc32c(as_bytes(out.back())));
  }
  return out;
}

uint64_t take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<uint8_t>(bytes);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

// A protocol buffer message: field number -> its raw value (varints as 8 bytes).
std::map<int, std::string> fields_of(std::string_view bytes) {
  std::map<int, std::string> out;
  while (!bytes.empty()) {
    const auto key = take_varint(bytes);
    uint64_t size = 0;
    switch (key & 7) {
      case 0: {
        const auto value = take_varint(bytes);
        out[static_cast<int>(key >> 3)] = std::string(reinterpret_cast<const char*>(&value), 8);
        continue;
      }
      case 1:
        size = 8;
        break;
      case 2:
        size = take_varint(bytes);
        break;
      case 5:
        size = 4;
        break;
      default:
        ADD_FAILURE() << "wire type " << (key & 7);
        return out;
    }
    out[static_cast<int>(key >> 3)] = std::string(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return out;
}

template <typename T>
T as(std::string_view raw) {
  return take<T>(raw);
}

class TensorBoardTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ldm_tensorboard_" + std::to_string(getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(TensorBoardTest, WritesScalarsAndImages) {
  TensorBoardWriter writer(folder_);
  writer.scalar("train/loss", 0.25, 300);
  const std::string png = "not really a picture";
  writer.image("samples", as_bytes(png), 64, 32, 3, 7);
  const auto records = read_records(read_text(writer.path()));
  ASSERT_EQ(records.size(), 3U);

  EXPECT_EQ(fields_of(records[0]).at(3), "brain.Event:2");

  auto event = fields_of(records[1]);
  EXPECT_GT(as<double>(event.at(1)), 1.6e9);
  EXPECT_EQ(as<uint64_t>(event.at(2)), 300U);
  auto value = fields_of(fields_of(event.at(5)).at(1));
  EXPECT_EQ(value.at(1), "train/loss");
  EXPECT_EQ(as<float>(value.at(2)), 0.25F);

  event = fields_of(records[2]);
  EXPECT_EQ(as<uint64_t>(event.at(2)), 7U);
  auto image = fields_of(fields_of(fields_of(event.at(5)).at(1)).at(4));
  EXPECT_EQ(as<uint64_t>(image.at(1)), 32U);
  EXPECT_EQ(as<uint64_t>(image.at(2)), 64U);
  EXPECT_EQ(as<uint64_t>(image.at(3)), 3U);
  EXPECT_EQ(image.at(4), png);
}

TEST_F(TensorBoardTest, AResumedRunStartsANewFileThatPurgesLaterSteps) {
  const TensorBoardWriter first(folder_);
  const TensorBoardWriter second(folder_, 500);
  EXPECT_NE(first.path(), second.path());
  const auto records = read_records(read_text(second.path()));
  ASSERT_EQ(records.size(), 2U);
  auto event = fields_of(records[1]);
  EXPECT_EQ(as<uint64_t>(event.at(2)), 500U);
  EXPECT_EQ(as<uint64_t>(fields_of(event.at(7)).at(1)), 1U);
}

TEST_F(TensorBoardTest, FramesAsTfRecord) {
  // Length 3, its masked checksum, the data, its masked checksum.
  const auto record = tfrecord("abc");
  ASSERT_EQ(record.size(), 8U + 4U + 3U + 4U);
  EXPECT_EQ(record.substr(0, 8), std::string("\3\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 3), "abc");
}

TEST_F(TensorBoardTest, ReportsAFolderItCannotUse) {
  fs::create_directories(folder_);
  write_file_atomic(folder_ / "file", std::string_view("x"));
  try {
    TensorBoardWriter writer(folder_ / "file");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_NE(std::string(error.what()).find("cannot create"), std::string::npos);
  }
}

}  // namespace
}  // namespace ldm
