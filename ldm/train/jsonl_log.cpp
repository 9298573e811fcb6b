#include "ldm/train/jsonl_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "ldm/core/error.h"
#include "ldm/io/json.h"

namespace ldm {
namespace {

// The step of a log line; -1 for a line without one.
int64_t line_step(const std::string& line) {
  const auto value = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object() || !value.contains("step") || !value["step"].is_number_integer()) return -1;
  return value["step"].get<int64_t>();
}

// The length of the part to keep: whole lines before the first one of a later step.
int64_t kept_bytes(const std::filesystem::path& path, std::optional<int64_t> resume_step) {
  if (!std::filesystem::is_regular_file(path)) return 0;  // Absent, or nothing to read: a pipe, a device.
  std::ifstream in(path, std::ios::binary);
  int64_t kept = 0;
  for (std::string line; std::getline(in, line) && !in.eof();) {
    if (resume_step && line_step(line) > *resume_step) break;
    kept += static_cast<int64_t>(line.size()) + 1;
  }
  return kept;
}

std::string text_of(const LogValue& value) {
  return std::visit([](const auto& v) { return to_json(Json(v)); }, value);
}

}  // namespace

JsonlLog::JsonlLog(std::filesystem::path path, std::optional<int64_t> resume_step) : path_(std::move(path)) {
  const auto kept = kept_bytes(path_, resume_step);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  check(descriptor_ >= 0, ErrorKind::kData, "JsonlLog: cannot open ", path_.string(), ": ",
        std::strerror(errno));
  if (::ftruncate(descriptor_, kept) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail(ErrorKind::kData, "JsonlLog: cannot shorten ", path_.string(), ": ", std::strerror(error));
  }
}

JsonlLog::~JsonlLog() { ::close(descriptor_); }

void JsonlLog::write(int64_t step, const LogRow& row) {
  auto line = "{\"step\": " + std::to_string(step);
  for (const auto& [name, value] : row) line += ", " + to_json(Json(name)) + ": " + text_of(value);
  line += "}\n";
  const auto written = ::write(descriptor_, line.data(), line.size());
  check(written == static_cast<ssize_t>(line.size()), ErrorKind::kData, "JsonlLog: cannot write ",
        path_.string(), ": ", written < 0 ? std::strerror(errno) : "no space left");
}

}  // namespace ldm
