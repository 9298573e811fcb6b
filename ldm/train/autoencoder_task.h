#pragma once

#include <memory>

#include "ldm/config/node.h"
#include "ldm/core/log.h"
#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/train/run_config.h"
#include "ldm/train/train_task.h"

namespace ldm {

// Stage one: trains an autoencoder (KL or VQ) on the folder of config.data with L1, a perceptual distance and
// a patch discriminator with adaptive weight (Rombach et al. 2022, Sec. 3.1; Esser et al. 2021). With
// linear_shortcut the linear code is fitted to the pictures (PCA) before the first step. Throws kUsage for
// options that fit nothing, kData for a folder without usable pictures, Stopped when `stop` comes before the
// first step.
std::unique_ptr<TrainTask> make_autoencoder_task(const RunConfig& config, const LogFn& log,
                                                 const ProgressFn& progress, const StopToken& stop);

}  // namespace ldm
