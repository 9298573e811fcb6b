#include "cli/signals.h"

#include <csignal>

namespace ldm::cli {
namespace {

StopToken* signal_stop = nullptr;  // A handler takes no argument; set once, never freed.

extern "C" void on_signal(int number) {
  if (signal_stop->requested()) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
  signal_stop->request();
}

}  // namespace

void stop_on_signals(const StopToken& stop) {
  signal_stop = new StopToken(stop);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A lost connection saves what there is; who began with nohup wants it to go on.
  struct sigaction inherited = {};
  if (sigaction(SIGHUP, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // A write past ulimit -f fails with EFBIG instead, and is cleaned up after.
}

}  // namespace ldm::cli
