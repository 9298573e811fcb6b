#include "ldm/train/running_means.h"

#include <limits>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"

namespace ldm {

void RunningMeans::add(const Scalars& figures) {
  for (const auto& [name, value] : figures) sums_[name] += value;
  ++steps_;
}

Scalars RunningMeans::take() {
  Scalars means;
  for (const auto& [name, sum] : sums_) means[name] = sum / static_cast<double>(steps_);
  sums_.clear();
  steps_ = 0;
  return means;
}

std::string RunningMeans::text() const {
  Json sums = Json::object();
  for (const auto& [name, sum] : sums_) sums[name] = sum;  // JSON has no NaN: null.
  return to_json(Json{{"steps", steps_}, {"sums", sums}}, 2) + "\n";
}

void RunningMeans::load(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) return;
  const auto bytes = read_text(file);
  const auto json = parse_json(as_bytes(bytes), file.string());
  const auto whole = [&](const char* key) { return json.is_object() && json.contains(key); };
  check(whole("steps") && json["steps"].is_number_unsigned() && whole("sums") && json["sums"].is_object(),
        ErrorKind::kFormat, file.string(), ": expected steps and sums");
  steps_ = json["steps"].get<int64_t>();
  for (const auto& [name, sum] : json["sums"].items()) {
    check(sum.is_number() || sum.is_null(), ErrorKind::kFormat, file.string(), ": expected numbers as sums");
    sums_[name] = sum.is_null() ? std::numeric_limits<double>::quiet_NaN() : sum.get<double>();
  }
}

}  // namespace ldm
