#pragma once

#include <functional>
#include <string_view>

namespace ldm {

enum class LogLevel { kInfo, kWarning };

// The library never prints: what it wants to say goes here. An empty function drops it.
using LogFn = std::function<void(LogLevel level, std::string_view message)>;

inline void log_info(const LogFn& log, std::string_view message) {
  if (log) log(LogLevel::kInfo, message);
}
inline void log_warning(const LogFn& log, std::string_view message) {
  if (log) log(LogLevel::kWarning, message);
}

}  // namespace ldm
