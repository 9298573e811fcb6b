#include "ldm/train/tensorboard.h"

#include <bit>
#include <chrono>

#include "ldm/core/crc32c.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie in memory");

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
enum EventField { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
enum SummaryField { kValue = 1 };
enum ValueField { kTag = 1, kSimpleValue = 2, kImage = 4 };
enum ImageField { kHeight = 1, kWidth = 2, kColorspace = 3, kEncodedImage = 4 };
enum SessionLogField { kStatus = 1 };
constexpr uint64_t kStatusStart = 1;

template <typename T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// Protocol buffer wire format: varints, and fields of the types varint (0), 64 bit (1), bytes (2), 32 bit
// (5).
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string key(int field, int wire) {
  return varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire));
}
std::string integer_field(int field, uint64_t value) { return key(field, 0) + varint(value); }
std::string double_field(int field, double value) { return key(field, 1) + raw(value); }
std::string float_field(int field, float value) { return key(field, 5) + raw(value); }
std::string bytes_field(int field, std::string_view bytes) {
  return key(field, 2) + varint(bytes.size()) + std::string(bytes);
}

std::string summary_of(std::string_view tag, const std::string& value) {
  return bytes_field(kSummary, bytes_field(kValue, bytes_field(kTag, tag) + value));
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::filesystem::path unused_path(const std::filesystem::path& folder) {
  const auto stem = "events.out.tfevents." + std::to_string(static_cast<int64_t>(seconds_now()));
  for (int64_t count = 0;; ++count) {
    auto path = folder / (stem + "." + std::to_string(count) + ".ldm");
    if (!std::filesystem::exists(path)) return path;
  }
}

}  // namespace

std::string tfrecord(std::string_view data) {
  const auto length = raw(static_cast<uint64_t>(data.size()));
  return length + raw(masked_crc32c(as_bytes(length))) + std::string(data) +
         raw(masked_crc32c(as_bytes(data)));
}

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder, int64_t first_step) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  path_ = unused_path(folder);
  out_.open(path_, std::ios::binary);
  check(out_.is_open(), ErrorKind::kData, "TensorBoardWriter: cannot create ", path_.string());
  write_event(0, bytes_field(kFileVersion, "brain.Event:2"));
  if (first_step > 0) write_event(first_step, bytes_field(kSessionLog, integer_field(kStatus, kStatusStart)));
}

void TensorBoardWriter::scalar(std::string_view tag, double value, int64_t step) {
  write_event(step, summary_of(tag, float_field(kSimpleValue, static_cast<float>(value))));
}

void TensorBoardWriter::image(std::string_view tag, std::span<const std::byte> png, int64_t width,
                              int64_t height, int64_t channels, int64_t step) {
  const auto image = integer_field(kHeight, static_cast<uint64_t>(height)) +
                     integer_field(kWidth, static_cast<uint64_t>(width)) +
                     integer_field(kColorspace, static_cast<uint64_t>(channels)) +
                     bytes_field(kEncodedImage, as_text(png));
  write_event(step, summary_of(tag, bytes_field(kImage, image)));
}

void TensorBoardWriter::write_event(int64_t step, std::string_view content) {
  const auto event =
      double_field(kWallTime, seconds_now()) + integer_field(kStep, static_cast<uint64_t>(step));
  out_ << tfrecord(event + std::string(content)) << std::flush;
  check(out_.good(), ErrorKind::kData, "TensorBoardWriter: cannot write ", path_.string(),
        ". hint: is the disk full?");
}

}  // namespace ldm
