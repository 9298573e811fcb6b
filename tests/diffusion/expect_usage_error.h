#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "ldm/core/error.h"

namespace ldm {

// The call must throw a usage error whose message contains `part`.
inline void expect_usage_error(const std::function<void()>& call, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "expected an error about '" << part << "', got none";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

}  // namespace ldm
