#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ldm {

using LogValue = std::variant<double, int64_t, bool, std::string>;
using LogRow = std::vector<std::pair<std::string, LogValue>>;

// log.jsonl of a run: one JSON object per line, {"step": N, ...} with the row's entries in their order;
// numbers that are not finite become null. Each line is handed to the system whole and at once.
class JsonlLog {
 public:
  // Appends to the file. With resume_step, first removes everything from the first line on whose step is
  // greater, so that a resumed run continues the log of the steps that count. A torn last line is removed in
  // any case. Throws kData if the file cannot be opened or written.
  explicit JsonlLog(std::filesystem::path path, std::optional<int64_t> resume_step = {});
  ~JsonlLog();
  JsonlLog(const JsonlLog&) = delete;
  JsonlLog& operator=(const JsonlLog&) = delete;

  // Throws kData when the disk refuses.
  void write(int64_t step, const LogRow& row);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace ldm
