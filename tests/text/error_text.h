#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "ldm/core/error.h"

namespace ldm {

inline std::span<const std::byte> text_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

inline std::string error_text(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace ldm
