#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace ldm {

// Who is to blame, and so what a program does about it: exit code 2 for kUsage, 1 for the rest.
enum class ErrorKind {
  kUsage,     // An option, a setting or an argument is wrong.
  kData,      // The world does not deliver: a missing file, an empty folder, a full disk.
  kFormat,    // A file's content breaks its format's rules.
  kInternal,  // A defect of this library.
};

// Every error of the library. what() is one line: who complained, what was expected, what came, a hint.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Throws Error with the parts streamed one after the other.
template <typename... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(kind, message.str());
}

template <typename... Parts>
void check(bool ok, ErrorKind kind, const Parts&... parts) {
  if (!ok) fail(kind, parts...);
}

// The common case at public functions: the caller gave something wrong.
template <typename First, typename... Parts>
requires(!std::is_same_v<First, ErrorKind>) void check(bool ok, const First& first, const Parts&... parts) {
  if (!ok) fail(ErrorKind::kUsage, first, parts...);
}

}  // namespace ldm
