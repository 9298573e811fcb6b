#include "ldm/core/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ldm {
namespace {

std::string two_digits(int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

// 0..100, or -1 when the total is unknown.
int64_t percent(const Progress& state) {
  if (state.total <= 0) return -1;
  const double part =
      static_cast<double>(std::clamp<int64_t>(state.done, 0, state.total)) / static_cast<double>(state.total);
  return static_cast<int64_t>(100.0 * part);
}

std::string counts(const Progress& state) {
  return std::to_string(state.done) + (state.total > 0 ? "/" + std::to_string(state.total) : "");
}

std::string eta_text(const Progress& state, const RateMeter& meter) {
  if (state.total <= 0 || state.done >= state.total) return "";
  const auto eta = meter.eta_s(state.total);
  return eta ? "ETA " + format_duration(*eta) : "";
}

void append(std::string& line, const std::string& separator, const std::string& part) {
  if (!part.empty()) line += separator + part;
}

// Cuts to at most `size` bytes, never inside a UTF-8 character.
std::string cut(std::string text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
  return text;
}

}  // namespace

void RateMeter::update(int64_t done, double now_s) {
  if (!started_ || done < done_) {
    *this = RateMeter(memory_s_);
    started_ = true;
    done_ = done;
    last_s_ = now_s;
    return;
  }
  const double passed = now_s - last_s_;
  if (passed <= 0.0 || done == done_) return;
  const double keep = std::exp(-passed / memory_s_);
  mean_ = keep * mean_ + (1.0 - keep) * static_cast<double>(done - done_) / passed;
  weight_ = keep * weight_ + (1.0 - keep);
  rate_ = mean_ / weight_;
  done_ = done;
  last_s_ = now_s;
}

void RateMeter::update(int64_t done) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  update(done, std::chrono::duration<double>(now).count());
}

std::optional<double> RateMeter::eta_s(int64_t total) const {
  if (rate_ <= 0.0) return std::nullopt;
  return static_cast<double>(std::max<int64_t>(total - done_, 0)) / rate_;
}

std::string format_duration(double seconds) {
  if (!(seconds >= 0.0) || seconds > 1e9) return "-:--";
  const auto s = static_cast<int64_t>(std::llround(seconds));
  const int64_t days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60;
  const std::string tail = two_digits(minutes) + ":" + two_digits(s % 60);
  if (days > 0) return std::to_string(days) + "d " + two_digits(hours) + ":" + tail;
  if (hours > 0) return std::to_string(hours) + ":" + tail;
  return std::to_string(minutes) + ":" + two_digits(s % 60);
}

std::string format_rate(double units_per_s, const std::string& unit) {
  if (!(units_per_s > 0.0) || !std::isfinite(units_per_s)) return "";
  const bool fast = units_per_s >= 1.0;
  const double value = fast ? units_per_s : 1.0 / units_per_s;
  char number[40];
  std::snprintf(number, sizeof number, value < 100.0 ? "%.2f " : "%.0f ", value);
  const auto one = unit.ends_with('s') ? unit.substr(0, unit.size() - 1) : unit;
  return number + (fast ? unit + "/s" : "s/" + one);
}

std::string progress_bar(const Progress& state, const RateMeter& meter, int64_t columns) {
  std::string tail = counts(state);
  append(tail, "  ", format_rate(meter.rate(), state.unit));
  append(tail, "  ", eta_text(state, meter));
  append(tail, "  ", state.detail);
  const int64_t part = percent(state);
  const auto width = static_cast<size_t>(std::max<int64_t>(columns, 0));
  if (part < 0) return cut(state.stage + "  " + tail, width);

  std::string number = std::to_string(part) + "%";
  number.insert(0, 4 - number.size(), ' ');
  const std::string head = state.stage + " " + number + " ";
  // The bar takes what is left over, between 10 and 30 characters; without that much room there is none.
  const int64_t room = columns - static_cast<int64_t>(head.size() + tail.size()) - 3;
  if (room < 10) return cut(head + tail, width);
  const auto cells = static_cast<size_t>(std::min<int64_t>(room, 30));
  const size_t full = cells * static_cast<size_t>(part) / 100;
  return head + "[" + std::string(full, '#') + std::string(cells - full, '.') + "] " + tail;
}

std::string progress_line(const Progress& state, const RateMeter& meter) {
  std::string line = state.stage + ": " + counts(state);
  const int64_t part = percent(state);
  if (part >= 0) line += " (" + std::to_string(part) + "%)";
  append(line, ", ", format_rate(meter.rate(), state.unit));
  append(line, ", ", eta_text(state, meter));
  append(line, ", ", state.detail);
  return line;
}

}  // namespace ldm
