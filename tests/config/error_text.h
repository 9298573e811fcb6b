#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "ldm/core/error.h"

namespace ldm {

// The message of the Error that `action` throws, which must be of that kind and one line; "" and a failure
// otherwise.
inline std::string error_text(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), kind) << message;
    EXPECT_EQ(message.find('\n'), message.npos) << message;
    return message;
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace ldm
