#pragma once

#include <string>

#include "ldm/core/error.h"
#include "ldm/core/stop.h"

namespace ldm {

// What long work throws when a stop request ends it before it has anything to return. Nobody's fault: a
// program that knows that nothing was lost may end well.
class Stopped : public Error {
 public:
  explicit Stopped(const std::string& message) : Error(ErrorKind::kData, message) {}
};

// Throws Stopped with the parts streamed one after the other, if a stop is requested.
template <typename... Parts>
void check_stop(const StopToken& stop, const Parts&... parts) {
  if (!stop.requested()) return;
  std::ostringstream message;
  (message << ... << parts);
  throw Stopped(message.str());
}

}  // namespace ldm
