#pragma once

#include "ldm/core/stop.h"

namespace ldm::cli {

// From now on the first SIGINT, SIGTERM or (unless it is ignored already) SIGHUP requests `stop`; the next
// one ends the program at once.
void stop_on_signals(const StopToken& stop);

}  // namespace ldm::cli
