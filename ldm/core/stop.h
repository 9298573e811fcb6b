#pragma once

#include <atomic>
#include <memory>

namespace ldm {

// A wish to stop that long work looks at between steps. Copies share the flag; request() is safe in a signal
// handler.
class StopToken {
 public:
  void request() const noexcept { flag_->store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return flag_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace ldm
