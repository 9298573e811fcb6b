#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace ldm {

// Writes TensorBoard's event files (TFRecord framing, tensorflow.Event protocol buffers) without TensorFlow.
// Every record is handed to the system at once, so that a crash loses nothing that was logged before.
class TensorBoardWriter {
 public:
  // Opens a new file `events.out.tfevents.<seconds>.<count>.ldm` in the folder, which is made if need be.
  // A first_step > 0 tells TensorBoard to forget what earlier files hold from that step on (a resumed run).
  // Throws kData if the file cannot be made.
  explicit TensorBoardWriter(const std::filesystem::path& folder, int64_t first_step = 0);

  // Tags group by their part before '/', e.g. "train/loss". Both throw kData when the disk refuses.
  void scalar(std::string_view tag, double value, int64_t step);
  // A PNG file's bytes with its size in pixels; channels 1, 3 or 4.
  void image(std::string_view tag, std::span<const std::byte> png, int64_t width, int64_t height,
             int64_t channels, int64_t step);

  const std::filesystem::path& path() const { return path_; }

 private:
  void write_event(int64_t step, std::string_view content);

  std::filesystem::path path_;
  std::ofstream out_;
};

// One TFRecord: length, masked CRC-32C of the length, data, masked CRC-32C of the data (little endian).
std::string tfrecord(std::string_view data);

}  // namespace ldm
